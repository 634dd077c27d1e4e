-- reserve takes units out of sale until a deadline: all lines of a reservation or none.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  reservations  hash    id -> record
--   KEYS[3]  deadlines     zset    deadline, Unix ms -> ids
--   KEYS[4]  limits        hash    limit, identity -> units
--   KEYS[5]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  k             levels that the requests' candidates name
--   ARGV[5]  c             counters of purchase limits that the requests name
--   ARGV[6]  mode          "dry" decides one request, whose id is "", and writes nothing; else ""
--   ARGV[7]  the n ids, the k levels, the c counters, then for each request
--              shape: "ttl_ms split lines limits", "backorder" if a line may be backordered,
--                "@1000-2000" if its campaigns sell from 1000 on and before 2000, Unix ms, and
--                "first" if it names only the first of several candidates
--              fixed: fingerprint channel customer order
--              head: of the event, with what only the ledger keeps
--              for each line: text (name sku requested returned), quantity, and candidates, the
--                numbers of levels in routed order; "=" joins those that rank by available units. "1-4"
--                are numbers that follow each other, for a request of more than 8 lines. A kit is one
--                line: its components' texts, between RS; "2 3 1", kits and the units of
--                each component in one; and candidates such as "1+5 2+6", its components' levels
--              for each limit: the number of its counter, units, the most that it allows
-- Output: {"fenced"}, {"loading"}, {"stopped"}, {"backlog"} (gate), {"refused"} (XADD failed), or
-- {"ok", now_ms, version of the location list, status, payload, …}: per request, the first of
--   {"conflict", ""}             the id was used for another request
--   {"replay", record}           the same request was made before: the reservation as it is now. A
--                                record with transition "conflict" belongs to another reservation
--   {"corrupt", level}           a stored value is not a whole number
--   {"elsewhere", ""}            the first candidate can't serve it: send all candidates
--   {"not_on_sale", ""}          a campaign has not started, or is over
--   {"no_location", line …}      numbers of the lines of which no candidate has a level
--   {"more_due", ""}             refused, but more overdue units can be reclaimed: send it again
--   {"purchase_limit", limit units}     number of the limit, and what it counts already
--   {"insufficient", line available …}  each short line, with the most that it could have
--   {"too_many_parts", ""}       it would come from too many locations
--   {"held", candidate units …}  taken: for each line its candidates, or only the candidate that
--                                serves the whole line

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
local closed, version, backlog = read_stock(stock_key, args, first_level, first_level + k - 1)
if closed or backlog then return { closed or 'backlog' } end
local stored = redis.call('HMGET', reservations_key, unpack(args, first_id, first_id + n - 1))
if counters > 0 then read_fields(limits_key, args, first_counter, first_counter + counters - 1, load_limit) end

-- decide
local created = int(now)
local shapes = {} -- text of a shape -> the shape
local list, listed = {}, 0 -- the new records: id, record, …

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
  local parts, starts, ends = split(text, ' '), nil, nil
  if parts[5] then starts, ends = string.match(text, '@(%d+)-(%d+)') end
  local deadline, count, limits = now + tonumber(parts[1]), tonumber(parts[3]), tonumber(parts[4])
  local head = table.concat({ '1', 'held', '1', int(deadline), nonce, created, '', '' }, US)
  shapes[text] = {
    deadline = deadline, way = parts[2], count = count, limits = limits, head = head,
    first_limit = 3 + 3 * count, size = 3 + 3 * count + 3 * limits, first = parts[#parts] == 'first',
    backorder = parts[5] == 'backorder', closed = starts and (now < tonumber(starts) or now >= tonumber(ends)),
  }
  return shapes[text]
end

-- add_record adds the record and the event of a request. The tail of a record follows its head.
local function add_record(id, shape, tail)
  local record = shape.head .. args[cursor + 1] .. tail
  records[id] = record
  list[listed + 1], list[listed + 2] = id, record
  listed = listed + 2
  add_deadline(shape.deadline, id)
  events[#events + 1] = args[cursor + 2] .. record
end

--@ campaigns

-- new_replay makes the function that decides a request whose id is known.
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

-- new_reserve makes the function that decides any other request. It is called for the first that is
-- not plain: Redis takes longer to make these functions than to decide a plain request.
local function new_reserve()
  --@ records attributes plain expiry candidates allocation backorder attempt
  return function(id, shape)
    local refusal, payload, lines = attempt(shape)
    local lasting = not refusal or refusal == 'corrupt' or refusal == 'no_location'
    if not lasting and not reclaimed and reclaim(stock_key, reservations_key, deadlines_key, limits_key, now, k) > 0 then
      refusal, payload, lines = attempt(shape)
    end
    if refusal and not lasting and more_due and not dry then return 'more_due', '' end
    if refusal == 'insufficient' and shape.backorder then refusal, payload = attempt_backordered(lines, shape) end
    if refusal then return refusal, payload end
    if journal > PARTS_MAX then
      put_back()
      return 'too_many_parts', ''
    end
    local tail, answer = texts_of(lines)
    for i = 1, journal do set_available(journal_level[i], available[journal_level[i]]) end
    add_to_limits(shape)
    add_record(id, shape, tail)
    return 'held', answer
  end
end

-- first_of chooses among one line's candidates. It returns the number of the first in routed order
-- that has the whole quantity; or nil and the most that one has, nil also if that is not plain.
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

-- reserve_plain decides plain requests without a table: one line, or a few with one candidate each,
-- and no kit. It returns nil if the request is not plain, or overdue units may be reclaimed for it.
local PLAIN_LINES = 8
local function reserve_plain(id, shape)
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
      if not most or not quantity or count > 1 or not reclaimed or more_due or shape.first or shape.backorder then return nil end
      if shape.way == 'units' and not units then return nil end
      return 'insufficient', '1' .. US .. int(math.max(0, most))
    end
    set_available(level, units - quantity)
    tail = tail .. RS .. args[at] .. location_of(level) .. args[at + 1] .. US .. '0'
    answer = at == first and text or answer .. RS .. text
  end
  if shape.limits > 0 then add_to_limits(shape) end
  add_record(id, shape, tail)
  return 'held', answer
end

local replay, reserve = nil, nil
local reply, replied = { 'ok', created, version }, 3
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
    if shape.closed then
      status, payload = 'not_on_sale', ''
    elseif shape.first or shape.count == 1 or shape.count <= PLAIN_LINES and shape.way ~= 'never' then
      status, payload = reserve_plain(id, shape)
      if not status and shape.first then status, payload = 'elsewhere', '' end
    end
    if not status then
      reserve = reserve or new_reserve()
      status, payload = reserve(id, shape)
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
