-- prelude stands in front of every script but probe. It has the separators, the working copy of
-- what a batch reads, and the functions that read and write it. EPOCH stands before it as a
-- literal, so the text of a script tells its generation.
--
-- A function here costs every call about half a microsecond of Redis CPU, because a call makes its
-- functions again. So a part that only some scripts need has a file of its own. A script puts it in
-- with "--@ records limits", if it rarely needs it within a function that it then calls.
--
-- A script binds KEYS and ARGV, reads, decides on the working copy, writes and returns. It refuses
-- nothing after its first write. That is the XADD of its event, the only write that can fail.

local US, RS, GS = '\31', '\30', '\29' -- between fields, between lines, between events
local FS = '\28' -- between the name of a line and its attributes
local CHUNK = 4000 -- fields in one call: unpack fails at 5,000 on miniredis, at 8,000 on Redis
local IDS_PER_MEMBER = 64 -- ids packed into one member of deadlines

-- int turns a whole number into text. Beyond 14 digits Lua itself would make 1e+15 of it.
local function int(n)
  if n < 1e14 and n > -1e14 then return n .. '' end
  return string.format('%.0f', n)
end

-- whole turns stored text into a whole number, or returns nil if it is none.
local function whole(text)
  local n = tonumber(text)
  if n and n % 1 == 0 and n > -1e15 and n < 1e15 then return n end
  return nil
end

-- split cuts text at a one-byte separator. An empty text is one empty part.
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

-- clock returns the time in Unix ms: the given one, or Redis's own if that is "".
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end

-- The working copy.
local available = {} -- level -> units, nil if there is no such level
local records = {} -- id -> text of the record, false if there is none
local broken = {} -- level -> true if the stored value is not a whole number
local touched_levels, touched_records = {}, {} -- lists of add_once, in the order they first changed
local events = {} -- texts, in order
local event_version = '1' -- of the entry; '2' if a decoder of version 1 could not read an event
local due = {} -- members of deadlines that reclaim took
local reclaimed, more_due = false, false -- reclaim ran, and left members that are due
local expire_until = nil -- Unix ms: no later deadline takes effect; nil is no bound
local deadlines, ids_at = {}, {} -- deadlines to write, in order; deadline -> its ids

-- add_once adds a name to a list that lacks it. The names are also keys of the list.
local function add_once(list, name)
  if not list[name] then
    list[name] = true
    list[#list + 1] = name
  end
end

-- set_available sets the available units of a level.
local function set_available(level, units)
  available[level] = units
  add_once(touched_levels, level)
end

-- set_record sets the record of an id.
local function set_record(id, record)
  records[id] = record
  add_once(touched_records, id)
end

-- add_deadline adds the deadline of an id.
local function add_deadline(deadline, id)
  local ids = ids_at[deadline]
  if not ids then
    ids = { n = 0 }
    ids_at[deadline] = ids
    deadlines[#deadlines + 1] = deadline
  end
  local n = ids.n + 1
  ids.n, ids[n] = n, id
end

-- read_fields reads the fields names[from..to] of a hash and calls load with each name and text.
local function read_fields(key, names, from, to, load)
  for first = from, to, CHUNK do
    local last = math.min(first + CHUNK - 1, to)
    local got = redis.call('HMGET', key, unpack(names, first, last))
    for i = first, last do load(names[i], got[i - first + 1]) end
  end
end

local function load_available(level, text)
  if text then
    local units = whole(text)
    available[level] = units
    if not units then broken[level] = true end
  end
end

-- read_stock reads the gate and the levels names[from..to], or only the gate. It returns "fenced",
-- "loading", "stopped", or nil if the batch may go on; the version of the location list; and
-- whether the gate says backlog, which only reserve minds.
local function read_stock(key, names, from, to)
  names, from, to = names or {}, from or 1, to or 0
  local last = math.min(to, from + CHUNK - 1)
  local got = redis.call('HMGET', key, 'epoch', 'gate', 'locations', 'expire_until', unpack(names, from, last))
  for i = from, last do -- as load_available does: a call for each level would cost reserve 3 %
    local text = got[i - from + 5]
    if text then
      local units = tonumber(text) -- as whole does
      if units and units % 1 == 0 and units > -1e15 and units < 1e15 then
        available[names[i]] = units
      else
        broken[names[i]] = true
      end
    end
  end
  read_fields(key, names, last + 1, to, load_available)
  local closed, gate = nil, got[2]
  if got[1] ~= EPOCH then
    closed = 'fenced'
  elseif gate and gate ~= 'open' and gate ~= 'backlog' then
    closed = gate
  end
  if got[4] then expire_until = whole(got[4]) or 0 end
  return closed, got[3] or '0', gate == 'backlog'
end

-- read_records reads the records of ids[from..to].
local function read_records(key, ids, from, to)
  read_fields(key, ids, from, to, function(id, text) records[id] = text end)
end

-- write_fields writes a list of name, value, name, value, … to a hash.
local function write_fields(key, list)
  for first = 1, #list, CHUNK do
    redis.call('HSET', key, unpack(list, first, math.min(first + CHUNK - 1, #list)))
  end
end

-- append writes the batch's entry: its version, the caller's nonce and the events. Data is text of
-- any bytes that belongs to the only event. append returns the id of the entry, or nil if Redis
-- refused it. Then nothing was written.
local function append(events_key, nonce, now, data)
  local body = int(now) .. GS .. table.concat(events, GS)
  if string.find(body, FS .. 'backorder', 1, true) then event_version = '2' end
  if string.find(body, '\27', 1, true) then event_version = '2' end -- a limit that names an identity
  local entry
  if data then
    entry = redis.pcall('XADD', events_key, EPOCH .. '-*', 'v', event_version, 'n', nonce, 'e', body, 'd', data)
  else
    entry = redis.pcall('XADD', events_key, EPOCH .. '-*', 'v', event_version, 'n', nonce, 'e', body)
  end
  if type(entry) == 'table' then return nil end
  return entry
end

-- write_stock writes the available units of changed levels, and the caller's list of fields.
local function write_stock(key, list)
  local n = #list
  for _, level in ipairs(touched_levels) do
    list[n + 1], list[n + 2] = level, int(available[level])
    n = n + 2
  end
  write_fields(key, list)
end

-- write_records writes changed records, and the caller's list of fields.
local function write_records(key, list)
  for _, id in ipairs(touched_records) do
    list[#list + 1] = id
    list[#list + 1] = records[id]
  end
  write_fields(key, list)
end

-- write_deadlines removes the members that reclaim took and writes the new deadlines, ids packed.
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
