-- prelude is put in front of every script: the separators, the codec of a reservation record, the
-- working copy of what a batch reads, and the one place that writes. EPOCH stands before it, as a
-- literal, so that a script of another generation can be told by its text.
--
-- A script binds KEYS and ARGV, reads, decides on the working copy, and then calls write() once.
-- Nothing is refused after write() began: its first write is XADD, the only one that can fail.

local US, RS, GS = '\31', '\30', '\29' -- within a field list, between lines, between events
local FS = '\28' -- between the name of a line and its tags
local CHUNK = 4000 -- fields in one call: unpack fails at 5,000 on miniredis, at 8,000 on Redis
local IDS_PER_MEMBER = 64 -- ids packed into one member of deadlines
local DUE_MEMBERS = 4 -- members of deadlines given back by one call

-- int turns a whole number into text. Beyond 14 digits Lua itself would make 1e+15 of it.
local function int(n)
  if n < 1e14 and n > -1e14 then return n .. '' end
  return string.format('%.0f', n)
end

-- whole turns stored text into a whole number; nil where it is none.
local function whole(text)
  local n = tonumber(text)
  if n and n % 1 == 0 and n > -1e15 and n < 1e15 then return n end
  return nil
end

-- split cuts text at a one-byte separator; an empty text is one empty part.
local function split(text, separator)
  local parts, n, from = {}, 0, 1
  while true do
    local at = string.find(text, separator, from, true)
    n = n + 1
    if not at then
      parts[n] = string.sub(text, from)
      return parts
    end
    parts[n] = string.sub(text, from, at - 1)
    from = at + 1
  end
end

-- clock is now in Unix ms: as given, or Redis's own, read once.
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end

-- The working copy. A record that is changed gets a new text in records; a level a new number.
local available = {} -- level -> units, nil where there is no such level
local records = {} -- id -> text of the record, false where there is none
local decoded = {} -- id -> its record as a table, while it is unchanged
local broken = {} -- level -> true where the stored value is no whole number
local touched_levels, touched_records = {}, {} -- in the order they were first changed
local is_touched = {} -- level or id -> true
local events = {} -- texts, in order
local due = {} -- members of deadlines that were given back
local expire_until = nil -- Unix ms: nothing with a later deadline is expired; nil is no bound
local deadlines, ids_at = {}, {} -- deadlines to write, in order; deadline -> ids that have it

-- change sets the available units of a level.
local function change(level, units)
  available[level] = units
  if not is_touched[level] then
    is_touched[level] = true
    touched_levels[#touched_levels + 1] = level
  end
end

-- keep sets the record of an id.
local function keep(id, record)
  records[id], decoded[id] = record, nil
  local mark = US .. id
  if not is_touched[mark] then
    is_touched[mark] = true
    touched_records[#touched_records + 1] = id
  end
end

-- watch has a deadline written for an id.
local function watch(deadline, id)
  local ids = ids_at[deadline]
  if not ids then
    ids = { n = 0 }
    ids_at[deadline] = ids
    deadlines[#deadlines + 1] = deadline
  end
  local n = ids.n + 1
  ids.n, ids[n] = n, id
end

-- fields reads fields names[from..to] of a hash in calls of bounded size and hands each to take.
local function fields(key, names, from, to, take)
  for first = from, to, CHUNK do
    local last = math.min(first + CHUNK - 1, to)
    local got = redis.call('HMGET', key, unpack(names, first, last))
    for i = first, last do take(names[i], got[i - first + 1]) end
  end
end

local function take_available(level, text)
  if text then
    local units = whole(text)
    available[level] = units
    if not units then broken[level] = true end
  end
end

-- read_stock reads the gate and the levels names[from..to]. It returns why the batch is refused
-- ('fenced', 'loading', 'stopped' or 'backlog'), or nil, and the version of the list of locations.
local function read_stock(key, names, from, to)
  local last = math.min(to, from + CHUNK - 1)
  local got = redis.call('HMGET', key, 'epoch', 'gate', 'locations', 'expire_until', unpack(names, from, last))
  for i = from, last do
    local text = got[i - from + 5]
    if text then
      local units = whole(text)
      available[names[i]] = units
      if not units then broken[names[i]] = true end
    end
  end
  fields(key, names, last + 1, to, take_available)
  local closed = nil
  if got[1] ~= EPOCH then
    closed = 'fenced'
  elseif got[2] and got[2] ~= 'open' then
    closed = got[2]
  end
  if got[4] then expire_until = whole(got[4]) or 0 end
  return closed, got[3] or '0'
end

local function take_record(id, text)
  records[id] = text
end

-- read_records reads the records of ids[from..to].
local function read_records(key, ids, from, to)
  fields(key, ids, from, to, take_record)
end

-- decode reads a record; nil where it is none of ours.
--   1 state version expires birth created transition fingerprint channel customer order
--   then for each line, after RS: name sku requested returned, and location quantity fulfilled,
--   once for each location it comes from; birth is the nonce of the entry that made it
-- The name of a line may have tags after it, each led by FS: the kit it is a component of, the units
-- of it in one kit, and for each purchase limit that counts it "most each id": what a customer may
-- have, and how many units count as one.
local HEAD = '^1\31([^\31]*)\31([^\31]*)\31([^\31]*)\31([^\31]*)\31([^\31]*)\31([^\31]*)\31([^\30]*)\30(.*)$'
local function decode(text)
  local state, version, expires, birth, created, transition, fixed, body = string.match(text, HEAD)
  if not state then return nil end
  local r = {
    state = state, version = whole(version), expires = whole(expires), birth = birth,
    created = created, transition = transition, fixed = fixed, body = body, lines = {},
  }
  if not (r.version and r.expires) then return nil end
  for i, part in ipairs(split(body, RS)) do
    local f = split(part, US)
    local line = { line = f[1], sku = f[2], requested = f[3], returned = f[4], from = {} }
    for j = 5, #f, 3 do
      local a = { location = f[j], quantity = whole(f[j + 1]), fulfilled = whole(f[j + 2]) }
      if not (a.quantity and a.fulfilled) then return nil end
      line.from[#line.from + 1] = a
    end
    r.lines[i] = line
  end
  return r
end

-- reservation is the record of an id as a table; nil where there is none that can be read.
local function reservation(id)
  local r = decoded[id]
  if not r and records[id] then
    r = decode(records[id])
    decoded[id] = r
  end
  return r
end

-- encode writes a record back. With lines changed, r.body is nil and is made again.
local function encode(r)
  if not r.body then
    local parts = {}
    for i, line in ipairs(r.lines) do
      local f = { line.line, line.sku, line.requested, line.returned }
      for _, a in ipairs(line.from) do
        f[#f + 1] = a.location
        f[#f + 1] = int(a.quantity)
        f[#f + 1] = int(a.fulfilled)
      end
      parts[i] = table.concat(f, US)
    end
    r.body = table.concat(parts, RS)
  end
  return table.concat({
    '1', r.state, int(r.version), int(r.expires), r.birth, r.created, r.transition, r.fixed,
  }, US) .. RS .. r.body
end

-- move puts a reservation into its next state and records it as an event:
--   verb id state-before version-before extra, then after RS the record as it is now
local function move(verb, id, r, state, transition, extra)
  local before = verb .. US .. id .. US .. r.state .. US .. int(r.version) .. US .. (extra or '') .. RS
  r.state, r.version, r.transition = state, r.version + 1, transition
  local text = encode(r)
  keep(id, text)
  events[#events + 1] = before .. text
  return text
end

-- lacking is the first level a record has units of that a working copy does not have, or nil. One that
-- all units have left is none of them: it may have been removed since.
local function lacking(r, copy)
  for _, line in ipairs(r.lines) do
    for _, a in ipairs(line.from) do
      local level = line.sku .. US .. a.location
      if a.quantity > a.fulfilled and copy[level] == nil then return level end
    end
  end
  return nil
end

-- levels_of lists the levels of a record's allocations that the working copy lacks.
local function levels_of(r, levels, listed)
  for _, line in ipairs(r.lines) do
    for _, a in ipairs(line.from) do
      local level = line.sku .. US .. a.location
      if available[level] == nil and not listed[level] then
        listed[level] = true
        levels[#levels + 1] = level
      end
    end
  end
end

-- tags reads the tags of a line: its name, the kit it is a component of (nil where it is none), how many
-- units go into one kit (then 1), and its limits, each as id, most and each.
local function tags(line)
  local t = line.tags
  if t then return t end
  local parts = split(line.line, FS)
  t = { name = parts[1], kit = parts[2] ~= '' and parts[2] or nil, each = whole(parts[3] or '') or 1, limits = {} }
  for i = 4, #parts do
    local most, each, id = string.match(parts[i], '^(%d+) (%d+) (.*)$')
    if id then t.limits[#t.limits + 1] = { id = id, most = tonumber(most), each = tonumber(each) } end
  end
  line.tags = t
  return t
end

-- The working copy of what purchase limits count: limit and customer -> units.
local taken, taken_touched, is_counted_limit = {}, {}, {}

local function take_taken(name, text)
  taken[name] = text and whole(text) or not text and 0 or nil -- nil: what is stored is no number
end

-- count_limit adds to what a limit counts. What is stored there and is no number stays: the audit's.
local function count_limit(name, units)
  if not taken[name] then return end
  taken[name] = taken[name] + units
  if not is_counted_limit[name] then
    is_counted_limit[name] = true
    taken_touched[#taken_touched + 1] = name
  end
end

-- is_limited says whether a record has a line that a purchase limit counts. Most have none, and no tags.
local function is_limited(r)
  for _, line in ipairs(r.lines) do
    if string.find(line.line, FS, 1, true) and #tags(line).limits > 0 then return true end
  end
  return false
end

-- limits_of calls visit with the counter and the units, and what a customer may have, of each limit
-- that counts a record: all of it, or for each number of a line the units in parts.
local function limits_of(r, parts, visit)
  if not is_limited(r) then return end
  local customer = split(r.fixed, US)[3]
  for i, line in ipairs(r.lines) do
    local units = 0
    if parts then
      units = parts[i] or 0
    else
      for _, a in ipairs(line.from) do units = units + a.quantity end
    end
    for _, limit in ipairs(tags(line).limits) do
      visit(limit.id .. US .. customer, units / limit.each, limit.most, limit.id)
    end
  end
end

-- read_limits reads the counters of the limits of some records.
local function read_limits(key, list)
  local names, listed = {}, {}
  for _, r in ipairs(list) do
    limits_of(r, nil, function(name)
      if taken[name] == nil and not listed[name] then
        listed[name] = true
        names[#names + 1] = name
      end
    end)
  end
  fields(key, names, 1, #names, take_taken)
end

-- write_limits writes the changed counters; one that is zero goes.
local function write_limits(key)
  local list, gone = {}, {}
  for _, name in ipairs(taken_touched) do
    if taken[name] == 0 then
      gone[#gone + 1] = name
    else
      list[#list + 1] = name
      list[#list + 1] = int(taken[name])
    end
  end
  for first = 1, #list, CHUNK do
    redis.call('HSET', key, unpack(list, first, math.min(first + CHUNK - 1, #list)))
  end
  for first = 1, #gone, CHUNK do
    redis.call('HDEL', key, unpack(gone, first, math.min(first + CHUNK - 1, #gone)))
  end
end

-- give_back returns to sale what a held record has.
local function give_back(r)
  for _, line in ipairs(r.lines) do
    for _, a in ipairs(line.from) do
      local level = line.sku .. US .. a.location
      change(level, available[level] + a.quantity)
    end
  end
  limits_of(r, nil, function(name, units) count_limit(name, -units) end)
end

-- reclaim gives back what is due, a bounded number of members of deadlines. It returns how many
-- reservations it expired, how many it could not (their levels are gone or broken: the audit's
-- business), and whether more may be due.
local function reclaim(stock_key, reservations_key, deadlines_key, limits_key, clock_now)
  local now = math.min(clock_now, expire_until or clock_now)
  due = redis.call('ZRANGEBYSCORE', deadlines_key, '-inf', int(now), 'LIMIT', 0, DUE_MEMBERS)
  local ids, unread, seen = {}, {}, {}
  for _, member in ipairs(due) do
    for _, id in ipairs(split(member, US)) do
      if not seen[id] then
        seen[id] = true
        ids[#ids + 1] = id
        if records[id] == nil then unread[#unread + 1] = id end
      end
    end
  end
  read_records(reservations_key, unread, 1, #unread)
  local overdue, limited, levels, listed = {}, {}, {}, {}
  for _, id in ipairs(ids) do
    local r = reservation(id)
    if r and r.state == 'held' and r.expires <= now then
      overdue[#overdue + 1] = { id, r }
      if is_limited(r) then limited[#limited + 1] = r end
      levels_of(r, levels, listed)
    end
  end
  fields(stock_key, levels, 1, #levels, take_available)
  read_limits(limits_key, limited)
  local expired, skipped = 0, 0
  for _, entry in ipairs(overdue) do
    if not lacking(entry[2], available) then
      give_back(entry[2])
      move('expire', entry[1], entry[2], 'expired', '')
      expired = expired + 1
    else
      skipped = skipped + 1
    end
  end
  return expired, skipped, #due == DUE_MEMBERS
end

-- pairs_in calls HSET with name, value, name, value, … in calls of bounded size.
local function pairs_in(key, list)
  for first = 1, #list, CHUNK do
    redis.call('HSET', key, unpack(list, first, math.min(first + CHUNK - 1, #list)))
  end
end

-- append writes the batch's event, the first write of all: an entry of version 1 with the caller's
-- nonce and the events; with data, texts of any bytes go with its one event. It returns the entry's
-- id, or nil where Redis refused it: then nothing was written.
local function append(events_key, nonce, now, data)
  local body = int(now) .. GS .. table.concat(events, GS)
  local entry
  if data then
    entry = redis.pcall('XADD', events_key, EPOCH .. '-*', 'v', '1', 'n', nonce, 'e', body, 'd', data)
  else
    entry = redis.pcall('XADD', events_key, EPOCH .. '-*', 'v', '1', 'n', nonce, 'e', body)
  end
  if type(entry) == 'table' then return nil end
  return entry
end

-- write_stock writes the changed levels' available units, and what more the caller adds to list.
local function write_stock(key, list)
  for _, level in ipairs(touched_levels) do
    list[#list + 1] = level
    list[#list + 1] = int(available[level])
  end
  if #list > 0 then pairs_in(key, list) end
end

-- write_records writes the changed records, and what more the caller adds to list.
local function write_records(key, list)
  for _, id in ipairs(touched_records) do
    list[#list + 1] = id
    list[#list + 1] = records[id]
  end
  if #list > 0 then pairs_in(key, list) end
end

-- write_deadlines drops the members given back and writes the new deadlines, ids packed.
local function write_deadlines(key)
  if #due > 0 then redis.call('ZREM', key, unpack(due)) end
  local list = {}
  for _, deadline in ipairs(deadlines) do
    local ids = ids_at[deadline]
    for first = 1, ids.n, IDS_PER_MEMBER do
      list[#list + 1] = int(deadline)
      list[#list + 1] = table.concat(ids, US, first, math.min(first + IDS_PER_MEMBER - 1, ids.n))
    end
  end
  if #list > 0 then redis.call('ZADD', key, unpack(list)) end
end

-- The working copy of levels: level -> {on_hand, committed, safety_stock, backorder_limit, and the id
-- of the entry of its last repair, nil where there was none}, units.
local counts, counts_touched, is_counted = {}, {}, {}

local function take_counts(level, text)
  if not text then return end
  local f = split(text, US)
  local c = { whole(f[1]), whole(f[2] or ''), whole(f[3] or ''), whole(f[4] or ''), f[5] }
  if c[1] and c[2] and c[3] and c[4] then
    counts[level] = c
  else
    broken[level] = true
  end
end

-- recount sets what a level counts.
local function recount(level, on_hand, committed, safety_stock, backorder_limit)
  local repaired = counts[level] and counts[level][5]
  counts[level] = { on_hand, committed, safety_stock, backorder_limit, repaired }
  if not is_counted[level] then
    is_counted[level] = true
    counts_touched[#counts_touched + 1] = level
  end
end

-- shift adds to a level's on hand and committed.
local function shift(level, on_hand, committed)
  local c = counts[level]
  recount(level, c[1] + on_hand, c[2] + committed, c[3], c[4])
end

-- write_counts writes the changed levels, and what more the caller adds to list.
local function write_counts(key, list)
  for _, level in ipairs(counts_touched) do
    local c = counts[level]
    list[#list + 1] = level
    list[#list + 1] = table.concat({ int(c[1]), int(c[2]), int(c[3]), int(c[4]), c[5] }, US)
  end
  if #list > 0 then pairs_in(key, list) end
end

-- repeated says whether a whole transition has been made already: the reservation is where the call
-- wants it, and was not ahead of the caller.
local function repeated(r, state, version)
  return r.state == state and (version == '' or tonumber(version) <= r.version)
end

-- unsettled says that a confirmed reservation's last step is not decided by the ledger yet: nothing
-- may follow it until then.
local function unsettled(r, settled)
  return r.state == 'confirmed' and settled ~= '*' and settled ~= int(r.version)
end

-- CONFLICT is the transition of a reservation whose id belongs to another one in the ledger.
local CONFLICT = 'conflict'

-- left is the units of a line that are neither fulfilled nor given back.
local function left(line)
  local units = 0
  for _, a in ipairs(line.from) do units = units + a.quantity - a.fulfilled end
  return units
end

-- lines_named lists the numbers of a record's lines of each name: a kit has one for each component.
local function lines_named(r)
  local numbers = {}
  for i, line in ipairs(r.lines) do
    local name = tags(line).name
    numbers[name] = numbers[name] or {}
    table.insert(numbers[name], i)
  end
  return numbers
end

-- parts_of reads the parts of a partial call, count times line and quantity from list[at] on, into
-- line number -> units. Without any it is all that is left. It returns also whether that is
-- everything, or a refusal and its payload in place of both.
local function parts_of(r, list, at, count)
  local parts, remaining = {}, 0
  for i, line in ipairs(r.lines) do
    remaining = remaining + left(line)
    if count == 0 then parts[i] = left(line) end
  end
  if count == 0 then return parts, true end
  local named = lines_named(r)
  for i = 1, count do
    local numbers, units = named[list[at + 2 * i - 2]], tonumber(list[at + 2 * i - 1])
    if not numbers then return nil, nil, 'unknown_line', int(i) end
    for _, number in ipairs(numbers) do
      local line = r.lines[number]
      local each = tags(line).each
      local most = math.floor(left(line) / each)
      if units > most then return nil, nil, 'exceeds', int(i) .. US .. int(most) end
      parts[number] = units * each
      remaining = remaining - units * each
    end
  end
  return parts, remaining == 0
end

-- counts_of lists the levels of a record's allocations.
local function counts_of(r, names, listed)
  for _, line in ipairs(r.lines) do
    for _, a in ipairs(line.from) do
      local level = line.sku .. US .. a.location
      if not listed[level] then
        listed[level] = true
        names[#names + 1] = level
      end
    end
  end
end
