-- prelude is put in front of every script: the separators, the working copy of what a batch reads, and the
-- one place that writes. EPOCH stands before it, as a literal, so that a script of another generation can be
-- told by its text. What only some scripts need is a file of its own, put in where the script says so:
-- "--@ records limits". Each call makes the functions in front of it anew, and each takes Redis about half a
-- microsecond, so what a script rarely needs is put in within a function that is called when it is.
--
-- A script binds KEYS and ARGV, reads, decides on the working copy, and then calls write() once.
-- Nothing is refused after write() began: its first write is XADD, the only one that can fail.

local US, RS, GS = '\31', '\30', '\29' -- within a field list, between lines, between events
local FS = '\28' -- between the name of a line and its tags
local CONFLICT = 'conflict' -- the transition of a reservation whose id belongs to another one in the ledger
local CHUNK = 4000 -- fields in one call: unpack fails at 5,000 on miniredis, at 8,000 on Redis
local IDS_PER_MEMBER = 64 -- ids packed into one member of deadlines

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
  records[id] = record
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
