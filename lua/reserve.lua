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
local place_of = {} -- level -> its location, between two separators, as a record has it
local function place(level)
  local p = place_of[level]
  if not p then
    local at = string.find(level, US, 1, true)
    p = string.sub(level, at) .. US
    place_of[level] = p
  end
  return p
end

local created = int(now)
local shapes = {} -- text -> what it says, and the head of its records
local list, listed = {}, 0 -- the records made, as id, record, …
local reclaimed, more_due = false, false

-- shape_of reads "ttl_ms split lines limits first", once for all requests that share it.
local function shape_of(text)
  local parts = split(text, ' ')
  local deadline, count, limits = now + tonumber(parts[1]), tonumber(parts[3]), tonumber(parts[4])
  local head = table.concat({ '1', 'held', '1', int(deadline), nonce, created, '', '' }, US)
  shapes[text] = {
    deadline = deadline, way = parts[2], count = count, limits = limits, head = head,
    first_limit = 3 + 3 * count, size = 3 + 3 * count + 3 * limits, first = parts[5] == 'first',
  }
  return shapes[text]
end

-- keep_new keeps a new record: tail is what follows its head.
local function keep_new(id, shape, tail)
  local record = shape.head .. args[cursor + 1] .. tail
  records[id] = record
  list[listed + 1], list[listed + 2] = id, record
  listed = listed + 2
  watch(shape.deadline, id)
  events[#events + 1] = args[cursor + 2] .. record
end

-- exceeded is the number of the first purchase limit that the request would exceed, and what is taken.
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

-- count_limits counts the request that is held.
local function count_limits(shape)
  local at = cursor + shape.first_limit
  for _ = 1, shape.limits do
    count_limit(args[first_counter + args[at] - 1], tonumber(args[at + 1]))
    at = at + 3
  end
end

-- knowing makes the function that decides a request whose id is known, when the first such comes.
local function knowing()
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

-- deciding makes the function that decides a request which is not served at once. It is called when
-- the first such comes: making these closures takes Redis longer than a plain reservation.
--
-- A candidate of a line is a level, or for a kit a list of its components' levels; it serves so many
-- units of the line, of a kit whole kits.
local function deciding()
  --@ records tags plain expiry

  -- The units taken by the request under decision, so that they can be put back if it is refused.
  local journal_level, journal_units, journal = {}, {}, 0
  local function draw(level, units)
    available[level] = available[level] - units
    journal = journal + 1
    journal_level[journal], journal_units[journal] = level, units
  end
  local function take(line, candidate, units)
    if line.each then
      for i, level in ipairs(candidate) do draw(level, units * line.each[i]) end
    else
      draw(candidate, units)
    end
    local from = line.from
    from[#from + 1] = candidate
    from[#from + 1] = units
  end
  local function put_back(to)
    for i = journal, to + 1, -1 do
      local level = journal_level[i]
      available[level] = available[level] + journal_units[i]
    end
    journal = to
  end

  -- serves is how many units of a line a candidate has.
  local function serves(line, candidate)
    if not line.each then return available[candidate] end
    local kits = nil
    for i, level in ipairs(candidate) do
      local some = math.floor(available[level] / line.each[i])
      kits = kits and math.min(kits, some) or some
    end
    return kits
  end

  local function place_at(line, candidate) return place(line.each and candidate[1] or candidate) end

  -- candidate_of is what "1" or "1+5" means; nil where a level is missing, and one that is broken.
  local function candidate_of(text)
    local levels, bad = {}, nil
    for number in string.gmatch(text, '%d+') do
      local level = args[first_level + number - 1]
      if broken[level] then bad = level end
      if not available[level] then return nil, bad end
      levels[#levels + 1] = level
    end
    return levels, bad
  end

  -- rank orders a line's candidates from first on by what they have, the most first.
  local function rank(line, first)
    local all = line.candidates
    for i = first + 1, #all do
      local candidate, j = all[i], i
      local units = serves(line, candidate)
      while j > first and serves(line, all[j - 1]) < units do
        all[j] = all[j - 1]
        j = j - 1
      end
      all[j] = candidate
    end
  end

  -- read_candidates lists a line's candidates of which all levels exist, in routed order, and what the
  -- request calls them. It returns a level that is broken, if any is.
  local function read_candidates(line, text)
    local bad, first = nil, 1
    for name, tied in string.gmatch(text, '([%d+]+)(=?)') do
      local candidate, wrong
      if line.each then
        candidate, wrong = candidate_of(name)
      else
        local level = args[first_level + name - 1]
        candidate, wrong = available[level] and level, broken[level] and level
      end
      bad = bad or wrong
      if candidate then
        line.candidates[#line.candidates + 1] = candidate
        line.names[candidate] = name
      end
      if tied == '' then
        rank(line, first)
        first = #line.candidates + 1
      end
    end
    return bad
  end

  -- places lists the locations of the lines' candidates, in the routed order of the first line that
  -- names them, and says for each line which candidate it has at a location.
  local function places(lines)
    local list, seen = {}, {}
    for _, line in ipairs(lines) do
      if not line.at then
        line.at = {}
        for _, candidate in ipairs(line.candidates) do line.at[place_at(line, candidate)] = candidate end
      end
      for _, candidate in ipairs(line.candidates) do
        local p = place_at(line, candidate)
        if not seen[p] then
          seen[p] = true
          list[#list + 1] = p
        end
      end
    end
    return list
  end

  -- serve takes every line that location p can serve whole, in order, and counts them.
  local function serve(lines, p)
    local served = 0
    for _, line in ipairs(lines) do
      local candidate = line.at[p]
      if candidate and serves(line, candidate) >= line.quantity then
        take(line, candidate, line.quantity)
        served = served + 1
      end
    end
    return served
  end

  local function forget(lines)
    for _, line in ipairs(lines) do line.from = {} end
  end

  -- best finds the location that serves most lines whole, ties by order, and takes them from it. It
  -- returns the lines that are left, or nil where no location serves any.
  local function best(lines)
    local most, chosen = 0, nil
    local mark = journal
    for _, p in ipairs(places(lines)) do
      local served = serve(lines, p)
      put_back(mark)
      forget(lines)
      if served > most then most, chosen = served, p end
      if most == #lines then break end
    end
    if not chosen then return nil end
    serve(lines, chosen)
    local left = {}
    for _, line in ipairs(lines) do
      if #line.from == 0 then left[#left + 1] = line end
    end
    return left
  end

  local function larger(a, b) return a > b end

  -- fewest chooses, of amounts in routed order, the first set of as few as suffice for need. Each
  -- amount is positive and together they are enough.
  local function fewest(amounts, need)
    local sorted = { unpack(amounts) }
    table.sort(sorted, larger)
    local size, sum = 0, 0
    while sum < need do
      size = size + 1
      sum = sum + sorted[size]
    end
    local chosen = {}
    for i, units in ipairs(amounts) do
      if size == 0 then break end
      for j, other in ipairs(sorted) do
        if other == units then
          table.remove(sorted, j)
          break
        end
      end
      local rest = 0
      for j = 1, math.min(size - 1, #sorted) do rest = rest + sorted[j] end
      if units + rest >= need then
        chosen[#chosen + 1] = i
        need = need - units
        size = size - 1
      end
    end
    return chosen
  end

  -- fill serves one line from several locations. It returns what there is where that is too little.
  local function fill(line)
    local some, amounts, sum = {}, {}, 0
    for _, candidate in ipairs(line.candidates) do
      local units = serves(line, candidate)
      if units > 0 then
        some[#some + 1], amounts[#amounts + 1] = candidate, units
        sum = sum + units
      end
    end
    if sum < line.quantity then return sum end
    local need = line.quantity
    for _, i in ipairs(fewest(amounts, need)) do
      local units = math.min(need, amounts[i])
      take(line, some[i], units)
      need = need - units
    end
    return nil
  end

  -- largest is the most that one candidate of a line has.
  local function largest(line)
    local most = 0
    for _, candidate in ipairs(line.candidates) do most = math.max(most, serves(line, candidate)) end
    return most
  end

  -- nearest lists the shortages at the location that could serve most units of all lines.
  local function nearest(lines)
    local shortages, most = nil, -1
    for _, p in ipairs(places(lines)) do
      local units, short, mark = 0, {}, journal
      for i, line in ipairs(lines) do
        local candidate = line.at[p]
        local there = candidate and math.max(0, serves(line, candidate)) or 0
        units = units + math.min(there, line.quantity)
        if there >= line.quantity then
          take(line, candidate, line.quantity)
        else
          short[#short + 1] = int(i) .. US .. int(there)
        end
      end
      put_back(mark)
      forget(lines)
      if units > most then shortages, most = short, units end
    end
    return shortages
  end

  -- allocate takes all lines as split allows and returns nil, or takes nothing and returns the
  -- shortages.
  local function allocate(lines, way)
    if #lines == 1 then
      local line = lines[1]
      for _, candidate in ipairs(line.candidates) do
        if serves(line, candidate) >= line.quantity then
          take(line, candidate, line.quantity)
          return nil
        end
      end
      local there = largest(line)
      if way == 'units' then there = fill(line) end
      return there and { '1' .. US .. int(there) }
    end
    local left = best(lines)
    if left and #left == 0 then return nil end
    if way == 'never' then
      put_back(0)
      forget(lines)
      return nearest(lines)
    end
    while left and #left > 0 do
      local rest = best(left)
      if not rest then break end
      left = rest
    end
    local short = {}
    for i, line in ipairs(lines) do
      if #line.from == 0 then
        local there = largest(line)
        if way == 'units' then there = fill(line) end
        if there then short[#short + 1] = int(i) .. US .. int(there) end
      end
    end
    if #short == 0 then return nil end
    put_back(0)
    forget(lines)
    return short
  end

  -- read_line reads the line at args[at]; quantity is "2", or of a kit "2 3 1".
  local function read_line(at)
    local line = { text = args[at], quantity = tonumber(args[at + 1]), candidates = {}, names = {}, from = {} }
    if not line.quantity then
      local numbers = split(args[at + 1], ' ')
      line.quantity, line.each, line.texts = tonumber(numbers[1]), {}, split(line.text, RS)
      for i = 2, #numbers do line.each[i - 1] = tonumber(numbers[i]) end
    end
    return line, read_candidates(line, args[at + 2])
  end

  local function read_lines(count)
    local lines, missing, bad = {}, {}, nil
    for i = 1, count do
      local wrong
      lines[i], wrong = read_line(cursor + 3 * i)
      bad = bad or wrong
      if #lines[i].candidates == 0 then missing[#missing + 1] = int(i) end
    end
    return lines, missing, bad
  end

  -- written is a line as a record has it: its text and where it comes from; a kit's components are lines
  -- of their own.
  local function written(line)
    local texts = {}
    for i, text in ipairs(line.texts or { line.text }) do
      for j = 1, #line.from, 2 do
        local units = line.from[j + 1] * (line.each and line.each[i] or 1)
        text = text .. place_at(line, line.from[j]) .. int(units) .. US .. '0'
      end
      texts[i] = text
    end
    return table.concat(texts, RS)
  end

  -- attempt takes what a request asks for; it returns a refusal and its payload, or the lines.
  local function attempt(shape)
    local lines, missing, bad = read_lines(shape.count)
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
      tail[i], answer[i] = written(line), table.concat(names, US)
    end
    for i = 1, journal do change(journal_level[i], available[journal_level[i]]) end
    count_limits(shape)
    keep_new(id, shape, RS .. table.concat(tail, RS))
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
    tail = tail .. RS .. args[at] .. place(level) .. args[at + 1] .. US .. '0'
    answer = at == first and text or answer .. RS .. text
  end
  if shape.limits > 0 then count_limits(shape) end
  keep_new(id, shape, tail)
  return 'held', answer
end

-- at_first serves all lines from their first candidate, one location, whatever split allows.
local function at_first(id, shape)
  local status, payload = at_once(id, shape)
  if not status then return 'elsewhere', '' end
  return status, payload
end

local known, decide = nil, nil
local reply, replied = { 'ok', created, locations }, 3
for i = 1, n do
  local id, form = args[first_id + i - 1], args[cursor]
  local shape = shapes[form] or shape_of(form)
  local record = records[id]
  if record == nil then record = stored[i] end
  local status, payload
  if record then
    known = known or knowing()
    status, payload = known(id, record)
  else
    if shape.first then
      status, payload = at_first(id, shape)
    elseif shape.count == 1 or shape.count <= PLAIN_LINES and shape.way ~= 'never' then
      status, payload = at_once(id, shape)
    end
    if not status then
      decide = decide or deciding()
      status, payload = decide(id, shape)
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
