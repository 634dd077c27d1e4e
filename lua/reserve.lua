-- reserve takes units out of sale until a deadline, all lines of a reservation or none.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  reservations  hash    id -> record
--   KEYS[3]  deadlines     zset    deadline, Unix ms -> ids
--   KEYS[4]  limits        hash    limit, customer -> units
--   KEYS[5]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  k             levels that the requests' candidates name
--   ARGV[5]  c             counters of purchase limits that the requests name
--   ARGV[6]  mode          "dry" only decides and writes nothing: of one request, whose id is ""; else ""
--   ARGV[7]  the n ids, the k levels, the c counters, then for each request: shape ("ttl_ms split lines
--            limits", and "first" where only the first candidate of several is named), fixed (fingerprint channel customer order), head (of the event, with what Redis
--            does not keep), then for each line: text (name sku requested returned), quantity,
--            candidates (numbers of levels, in order; "=" joins those that rank by what is available);
--            then for each limit: number of its counter, units, most a customer may have.
--            A kit is one line: its components' texts, between RS; kits, and the units of each component
--            in one ("2 3 1"); as a candidate the numbers of its components' levels ("1+5 2+6")
-- Output: "ok", now_ms, version of the locations, then status and payload for each request; or the
-- one word "fenced", "loading", "stopped", "backlog" (gate), "refused" (the stream did not take the entry)
--   {"conflict", ""}             the id was used for another request
--   {"replay", record}           the same request: the reservation as it is now; and any, where the ledger has
--                                another reservation under this id: it tells whose that is
--   {"corrupt", level}           a stored value is not a whole number
--   {"elsewhere", ""}            the first candidate does not serve all of it: name all candidates
--   {"no_location", line …}      numbers of the lines of which no candidate has a level
--   {"more_due", ""}             refused, but more overdue units may be given back: send it again
--   {"purchase_limit", limit taken}  number of the limit, and what its customer has already
--   {"insufficient", line available …}  every short line, with the most it could have had
--   {"held", candidate units …}  taken: for each line, from which candidates; only the one that the
--                                line comes whole from

--@ limits

-- bind
local stock_key, reservations_key, deadlines_key = KEYS[1], KEYS[2], KEYS[3]
local limits_key, events_key = KEYS[4], KEYS[5]
local args = ARGV
local now, nonce, n, k = clock(args[1]), args[2], tonumber(args[3]), tonumber(args[4])
local counters, dry = tonumber(args[5]), args[6] == 'dry'
local first_id, first_level, first_counter = 7, 7 + n, 7 + n + k
local cursor = first_counter + counters

-- read
local closed, locations = read_stock(stock_key, args, first_level, first_level + k - 1)
if closed then return { closed } end
local stored = redis.call('HMGET', reservations_key, unpack(args, first_id, first_id + n - 1))
if counters > 0 then fields(limits_key, args, first_counter, first_counter + counters - 1, take_taken) end

-- decide
local created = int(now)
local shapes = {} -- text of a shape -> the shape
local list, listed = {}, 0 -- the new records, as id, record, …
local reclaimed, more_due = false, false

-- location_of returns the location of a level between two separators, as a record has it.
local location_texts = {}
local function location_of(level)
  local text = location_texts[level]
  if not text then
    local at = string.find(level, US, 1, true)
    text = string.sub(level, at) .. US
    location_texts[level] = text
  end
  return text
end

-- read_shape reads a shape, once for all requests that share it.
local function read_shape(text)
  local parts = split(text, ' ')
  local deadline, count, limits = now + tonumber(parts[1]), tonumber(parts[3]), tonumber(parts[4])
  local head = table.concat({ '1', 'held', '1', int(deadline), nonce, created, '', '' }, US)
  shapes[text] = {
    deadline = deadline, way = parts[2], count = count, limits = limits, head = head,
    first_limit = 3 + 3 * count, size = 3 + 3 * count + 3 * limits, first = parts[5] == 'first',
  }
  return shapes[text]
end

-- add_record keeps a new record. The tail is what follows its head.
local function add_record(id, shape, tail)
  local record = shape.head .. args[cursor + 1] .. tail
  records[id] = record
  list[listed + 1], list[listed + 2] = id, record
  listed = listed + 2
  watch(shape.deadline, id)
  events[#events + 1] = args[cursor + 2] .. record
end

-- exceeded returns the number of the first purchase limit that the request would exceed, and the
-- units counted there. The number is 0 if the stored counter is no number.
local function exceeded(shape)
  local at = cursor + shape.first_limit
  for i = 1, shape.limits do
    local units = taken[args[first_counter + args[at] - 1]]
    if not units then return 0, 0 end
    if units + args[at + 1] > tonumber(args[at + 2]) then return i, units end
    at = at + 3
  end
  return nil
end

-- count_limits counts the request towards its purchase limits.
local function count_limits(shape)
  local at = cursor + shape.first_limit
  for _ = 1, shape.limits do
    count_limit(args[first_counter + args[at] - 1], tonumber(args[at + 1]))
    at = at + 3
  end
end

-- new_replay returns the function that decides a request whose id is known.
local function new_replay()
  --@ records
  return function(id, record)
    local r = decode(record)
    if not r then return 'corrupt', id end
    local fixed = args[cursor + 1]
    local last = string.find(fixed, US, 1, true)
    local same = string.sub(r.fixed, 1, last) == string.sub(fixed, 1, last)
    if not same and r.transition ~= CONFLICT then return 'conflict', '' end
    return 'replay', record
  end
end

-- new_allocate returns the function that decides a request which is not plain. It is called for the
-- first such request: its functions take Redis longer to make than a plain reservation takes.
local function new_allocate()
  --@ records tags plain expiry allocation

  -- attempt takes what a request asks for. It returns a refusal and its payload, or nil and the lines.
  local function attempt(shape)
    local lines, missing, bad = read_lines(cursor + 3, shape.count)
    if bad then return 'corrupt', bad end
    if #missing > 0 then return 'no_location', table.concat(missing, US) end
    local over, had = exceeded(shape)
    if over == 0 then return 'corrupt', 'limits' end
    if over then return 'purchase_limit', int(over) .. US .. int(had) end
    journal = 0
    local short = allocate(lines, shape.way)
    if short then return 'insufficient', table.concat(short, RS) end
    return nil, lines
  end

  return function(id, shape)
    local refusal, result = attempt(shape)
    local lasting = not refusal or refusal == 'corrupt' or refusal == 'no_location'
    if not lasting and not reclaimed then
      local _
      reclaimed = true
      _, _, more_due = reclaim(stock_key, reservations_key, deadlines_key, limits_key, now)
      refusal, result = attempt(shape)
    end
    if refusal and not lasting and more_due and not dry then return 'more_due', '' end
    if refusal then return refusal, result end
    local tail, answer = {}, {}
    for i, line in ipairs(result) do
      local names = {}
      for j = 1, #line.from, 2 do
        names[j], names[j + 1] = line.names[line.from[j]], int(line.from[j + 1])
      end
      tail[i], answer[i] = line_text(line), table.concat(names, US)
    end
    for i = 1, journal do change(journal_level[i], available[journal_level[i]]) end
    count_limits(shape)
    add_record(id, shape, RS .. table.concat(tail, RS))
    return 'held', table.concat(answer, RS)
  end
end

-- first_of chooses among one line's candidates: the number of the first in routed order that has the
-- whole quantity; else nil, and the most that one has, nil also where that is not plain to see.
local function first_of(text, quantity)
  local most, best, best_units = nil, nil, nil -- of all; of those tied
  for number, tied in string.gmatch(text, '(%d+)(=?)') do
    local level = args[first_level + number - 1]
    local units = available[level]
    if units and (not best_units or units > best_units) then best, best_units = number, units end
    if not units and broken[level] then return nil, nil end
    if tied == '' and best_units then
      if best_units >= quantity then return best end
      most, best_units = math.max(most or 0, best_units), nil
    end
  end
  return nil, most
end

-- at_once decides the plain cases without any table: one line, or a few with one candidate each, and
-- no kit; nil where it is not that plain, or overdue units may still be given back for it.
local PLAIN_LINES = 8
local function at_once(id, shape)
  local count = shape.count
  if shape.limits > 0 and exceeded(shape) then return nil end
  local first, tail, answer = cursor + 3, '', ''
  for at = first, cursor + 3 * count, 3 do
    local quantity, text = tonumber(args[at + 1]), args[at + 2]
    local number, most = tonumber(text), nil
    if not number and quantity and count == 1 and text ~= '' then
      text, most = first_of(text, quantity)
      number = tonumber(text)
    end
    local level = number and args[first_level + number - 1]
    local units = level and available[level]
    if not units or not quantity or units < quantity then
      for before = first, at - 3, 3 do
        local undone = args[first_level + args[before + 2] - 1]
        available[undone] = available[undone] + args[before + 1]
      end
      most = most or units
      if not most or not quantity or count > 1 or not reclaimed or more_due or shape.first then return nil end
      if shape.way == 'units' and not units then return nil end
      return 'insufficient', '1' .. US .. int(math.max(0, most))
    end
    change(level, units - quantity)
    tail = tail .. RS .. args[at] .. location_of(level) .. args[at + 1] .. US .. '0'
    answer = at == first and text or answer .. RS .. text
  end
  if shape.limits > 0 then count_limits(shape) end
  add_record(id, shape, tail)
  return 'held', answer
end

-- at_first serves all lines from their first candidate, one location, whatever split allows.
local function at_first(id, shape)
  local status, payload = at_once(id, shape)
  if not status then return 'elsewhere', '' end
  return status, payload
end

local replay, allocate = nil, nil
local reply, replied = { 'ok', created, locations }, 3
for i = 1, n do
  local id, form = args[first_id + i - 1], args[cursor]
  local shape = shapes[form] or read_shape(form)
  local record = records[id]
  if record == nil then record = stored[i] end
  local status, payload
  if record then
    replay = replay or new_replay()
    status, payload = replay(id, record)
  else
    if shape.first then
      status, payload = at_first(id, shape)
    elseif shape.count == 1 or shape.count <= PLAIN_LINES and shape.way ~= 'never' then
      status, payload = at_once(id, shape)
    end
    if not status then
      allocate = allocate or new_allocate()
      status, payload = allocate(id, shape)
    end
  end
  reply[replied + 1], reply[replied + 2] = status, payload
  replied = replied + 2
  cursor = cursor + shape.size
end

-- write
if dry then return reply end
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  write_stock(stock_key, {})
  write_records(reservations_key, list)
  write_limits(limits_key)
end
if #events > 0 or #due > 0 then write_deadlines(deadlines_key) end

-- return
return reply
