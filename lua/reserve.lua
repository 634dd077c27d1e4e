-- reserve takes units out of sale until a deadline, all lines of a reservation or none.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  reservations  hash    id -> record
--   KEYS[3]  deadlines     zset    deadline, Unix ms -> ids
--   KEYS[4]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  k             levels that the requests' candidates name
--   ARGV[5]  the n ids, the k levels, then for each request: shape ("ttl_ms split lines"), fixed
--            (fingerprint channel customer order), head (of the event, with what Redis does not
--            keep), then for each line: text (line sku requested returned), quantity, candidates
--            (numbers of levels, in order)
-- Output: "ok", now_ms, version of the locations, then status and payload for each request; or the
-- one word "fenced", "loading", "stopped", "backlog" (gate), "refused" (the stream did not take the entry)
--   {"conflict", ""}             the id was used for another request
--   {"replay", record}           the same request: the reservation as it is now
--   {"corrupt", level}           a stored value is not a whole number
--   {"no_location", line …}      numbers of the lines of which no candidate has a level
--   {"more_due", ""}             short, but more overdue units may be given back: send it again
--   {"insufficient", line available …}  every short line, with the most it could have had
--   {"held", level units …}      taken: for each line, from which levels; only the number of a level
--                                where the one line comes whole from it

-- bind
local stock_key, reservations_key = KEYS[1], KEYS[2]
local deadlines_key, events_key = KEYS[3], KEYS[4]
local args = ARGV
local now, nonce, n, k = clock(args[1]), args[2], tonumber(args[3]), tonumber(args[4])
local first_id, first_level, cursor = 5, 5 + n, 5 + n + k

-- read
local closed, locations = read_stock(stock_key, args, first_level, first_level + k - 1)
if closed then return { closed } end
local stored = redis.call('HMGET', reservations_key, unpack(args, first_id, first_id + n - 1))

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

-- shape_of reads "ttl_ms split lines", once for all requests that share it.
local function shape_of(text)
  local parts = split(text, ' ')
  local deadline = now + tonumber(parts[1])
  local head = table.concat({ '1', 'held', '1', int(deadline), nonce, created, '', '' }, US)
  shapes[text] = { deadline = deadline, way = parts[2], count = tonumber(parts[3]), head = head }
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

local function known(id, record)
  local r = reservation(id) or decode(record)
  if not r then return 'corrupt', id end
  local fixed = args[cursor + 1]
  local last = string.find(fixed, US, 1, true)
  if string.sub(r.fixed, 1, last) ~= string.sub(fixed, 1, last) then return 'conflict', '' end
  return 'replay', record
end

-- deciding makes the function that decides a request which is not served at once. It is called when
-- the first such comes: making these closures takes Redis longer than a plain reservation.
local function deciding()
  -- The units taken by the request under decision, so that they can be put back if it is refused.
  local journal_level, journal_units, journal = {}, {}, 0
  local function take(line, level, units)
    available[level] = available[level] - units
    journal = journal + 1
    journal_level[journal], journal_units[journal] = level, units
    local from = line.from
    from[#from + 1] = level
    from[#from + 1] = units
  end
  local function put_back(to)
    for i = journal, to + 1, -1 do
      local level = journal_level[i]
      available[level] = available[level] + journal_units[i]
    end
    journal = to
  end

  -- candidates lists a line's candidate levels that exist, in order, and their numbers. It returns also
  -- one that is broken, if any is.
  local function candidates(text)
    local list, numbers, bad = {}, {}, nil
    for number in string.gmatch(text, '%d+') do
      local level = args[first_level + number - 1]
      if available[level] then
        list[#list + 1] = level
        numbers[level] = number
      end
      if broken[level] then bad = bad or level end
    end
    return list, numbers, bad
  end

  -- places lists the locations of the lines' candidates, in the routed order of the first line that
  -- names them, and says for each line which level it has at a location.
  local function places(lines)
    local list, seen = {}, {}
    for _, line in ipairs(lines) do
      if not line.at then
        line.at = {}
        for _, level in ipairs(line.candidates) do line.at[place(level)] = level end
      end
      for _, level in ipairs(line.candidates) do
        local p = place(level)
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
      local level = line.at[p]
      if level and available[level] >= line.quantity then
        take(line, level, line.quantity)
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

  -- fewest chooses, of counts in routed order, the first set of as few as suffice for need. Each
  -- count is positive and together they are enough.
  local function fewest(counts, need)
    local sorted = { unpack(counts) }
    table.sort(sorted, larger)
    local size, sum = 0, 0
    while sum < need do
      size = size + 1
      sum = sum + sorted[size]
    end
    local chosen = {}
    for i, units in ipairs(counts) do
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
    local levels, counts, sum = {}, {}, 0
    for _, level in ipairs(line.candidates) do
      if available[level] > 0 then
        levels[#levels + 1], counts[#counts + 1] = level, available[level]
        sum = sum + available[level]
      end
    end
    if sum < line.quantity then return sum end
    local need = line.quantity
    for _, i in ipairs(fewest(counts, need)) do
      local units = math.min(need, counts[i])
      take(line, levels[i], units)
      need = need - units
    end
    return nil
  end

  -- largest is the most that one candidate of a line has.
  local function largest(line)
    local most = 0
    for _, level in ipairs(line.candidates) do most = math.max(most, available[level]) end
    return most
  end

  -- nearest lists the shortages at the location that could serve most units of all lines.
  local function nearest(lines)
    local shortages, most = nil, -1
    for _, p in ipairs(places(lines)) do
      local units, short, mark = 0, {}, journal
      for i, line in ipairs(lines) do
        local level = line.at[p]
        local there = level and math.max(0, available[level]) or 0
        units = units + math.min(there, line.quantity)
        if there >= line.quantity then
          take(line, level, line.quantity)
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
      for _, level in ipairs(line.candidates) do
        if available[level] >= line.quantity then
          take(line, level, line.quantity)
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

  local function read_lines(count)
    local lines, missing, bad = {}, {}, nil
    for i = 1, count do
      local at = cursor + 3 * i
      local found, numbers, wrong = candidates(args[at + 2])
      lines[i] = {
        text = args[at], quantity = tonumber(args[at + 1]), candidates = found, numbers = numbers, from = {},
      }
      bad = bad or wrong
      if #found == 0 then missing[#missing + 1] = int(i) end
    end
    return lines, missing, bad
  end

  return function(id, shape)
    local lines, missing, bad = read_lines(shape.count)
    if bad then return 'corrupt', bad end
    if #missing > 0 then return 'no_location', table.concat(missing, US) end
    journal = 0
    local short = allocate(lines, shape.way)
    if short and not reclaimed then
      local _
      reclaimed = true
      _, _, more_due = reclaim(stock_key, reservations_key, deadlines_key, now)
      short = allocate(lines, shape.way)
    end
    if short and more_due then return 'more_due', '' end
    if short then return 'insufficient', table.concat(short, RS) end
    local tail, taken = {}, {}
    for i, line in ipairs(lines) do
      local text, from, list = line.text, line.from, {}
      for j = 1, #from, 2 do
        local level, count = from[j], int(from[j + 1])
        change(level, available[level])
        text = text .. place(level) .. count .. US .. '0'
        list[j], list[j + 1] = line.numbers[level], count
      end
      tail[i], taken[i] = text, table.concat(list, US)
    end
    keep_new(id, shape, RS .. table.concat(tail, RS))
    return 'held', table.concat(taken, RS)
  end
end

-- at_once decides the plain case, a few lines with one candidate each, without any table; nil where
-- it is not that plain, or overdue units may still be given back for it.
local PLAIN_LINES = 8
local function at_once(id, shape)
  local count = shape.count
  local first, tail, taken = cursor + 3, '', ''
  for at = first, cursor + 3 * count, 3 do
    local quantity, text = args[at + 1], args[at + 2]
    local number = tonumber(text)
    local level = number and args[first_level + number - 1]
    local units = level and available[level]
    if not units or units - quantity < 0 then
      for before = first, at - 3, 3 do
        local undone = args[first_level + args[before + 2] - 1]
        available[undone] = available[undone] + args[before + 1]
      end
      if not units or count > 1 or not reclaimed or more_due then return nil end
      return 'insufficient', '1' .. US .. int(math.max(0, units))
    end
    change(level, units - quantity)
    tail = tail .. RS .. args[at] .. place(level) .. quantity .. US .. '0'
    taken = at == first and text or taken .. RS .. text
  end
  keep_new(id, shape, tail)
  return 'held', taken
end

local decide = nil
local reply, replied = { 'ok', created, locations }, 3
for i = 1, n do
  local id, form = args[first_id + i - 1], args[cursor]
  local shape = shapes[form] or shape_of(form)
  local record = records[id]
  if record == nil then record = stored[i] end
  local status, payload
  if record then
    status, payload = known(id, record)
  else
    if shape.count == 1 or shape.count <= PLAIN_LINES and shape.way ~= 'never' then
      status, payload = at_once(id, shape)
    end
    if not status then
      decide = decide or deciding()
      status, payload = decide(id, shape)
    end
  end
  reply[replied + 1], reply[replied + 2] = status, payload
  replied = replied + 2
  cursor = cursor + 3 + 3 * shape.count
end

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  write_stock(stock_key, {})
  write_records(reservations_key, list)
end
if #events > 0 or #due > 0 then write_deadlines(deadlines_key) end

-- return
return reply
