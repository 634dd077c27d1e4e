-- records reads, changes and writes the records of reservations.

local decoded = {} -- id -> its record as a table
local CONFLICT = 'conflict' -- transition of a record whose id the ledger has for another reservation
local PARTS_PER_CALL = 128 -- a call takes no further reservation when it has as many parts
local parts_decoded = 0 -- each line, at each location that serves it, and each attribute of a line
local SALE = '+' -- ends the transition of a release of a sale: a repeat waits for the ledger too

-- decode reads a record, or returns nil if it can't be read. A record is
--   1 state version expires creation_nonce created transition fingerprint channel customer order
--   then for each line, after RS: name sku requested returned, and location quantity fulfilled,
--   once for each location that serves it
-- The creation nonce is the nonce of the entry that made the reservation. The name of a line may
-- have attributes, each led by FS: the kit it is a component of, the units of it in one kit, and
-- for each purchase limit that counts it "most each id" (the most units that it allows, and how many
-- units count as one), and "\27identity" if it does not count the reservation's customer; and
-- "backorder" if the line takes its units even if they are not available.
local HEAD = '^1\31([^\31]*)\31([^\31]*)\31([^\31]*)\31([^\31]*)\31([^\31]*)\31([^\31]*)\31([^\30]*)\30(.*)$'
local function decode(text)
  local state, version, expires, creation_nonce, created, transition, fixed, body = string.match(text, HEAD)
  if not state then return nil end
  local r = {
    state = state, version = whole(version), expires = whole(expires), creation_nonce = creation_nonce,
    created = created, transition = transition, fixed = fixed, body = body, lines = {},
  }
  if not (r.version and r.expires) then return nil end
  for i, part in ipairs(split(body, RS)) do
    local f = split(part, US)
    local line = { line = f[1], sku = f[2], requested = f[3], returned = f[4], from = {} }
    for j = 5, #f, 3 do
      local a = { location = f[j], level = f[2] .. US .. f[j], quantity = whole(f[j + 1]), fulfilled = whole(f[j + 2]) }
      if not (a.quantity and a.fulfilled) then return nil end
      line.from[#line.from + 1] = a
    end
    local _, extras = string.gsub(f[1], FS, FS)
    parts_decoded = parts_decoded + math.max(1, #line.from) + extras
    r.lines[i] = line
  end
  return r
end

-- head_of returns state, version, deadline and creation nonce of a record, all as text, or nil. Decoding
-- the lines of many records would keep Redis busy for long.
local function head_of(text)
  return string.match(text, '^1\31(%a+)\31(%d+)\31(%d+)\31([^\31]*)\31')
end

-- reservation returns the record of an id as a table, or nil if none can be read.
local function reservation(id)
  local text, r = records[id], decoded[id]
  if not text then return nil end
  if not r or r.text ~= text then
    r = decode(text)
    if r then r.text = text end
    decoded[id] = r
  end
  return r
end

-- read_reservations reads and decodes the reservations of n ids from first on. It returns how many a
-- call may take: the caller sends the others again. It reads a few at a time, as a record may be
-- large.
local IDS_PER_READ = 8
local function read_reservations(key, ids, first, n)
  for i = 1, n do
    if parts_decoded >= PARTS_PER_CALL then return i - 1 end
    if i % IDS_PER_READ == 1 then read_records(key, ids, first + i - 1, first + math.min(i + IDS_PER_READ - 2, n - 1)) end
    reservation(ids[first + i - 1])
  end
  return n
end

-- encode writes a record. A caller that changes lines sets r.body to nil, so that it is made again.
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
    '1', r.state, int(r.version), int(r.expires), r.creation_nonce, r.created, r.transition, r.fixed,
  }, US) .. RS .. r.body
end

-- step puts a reservation into its next state and adds the event:
--   verb id state-before version-before extra, then after RS the record as it is now
local function step(verb, id, r, state, transition, extra)
  local before = verb .. US .. id .. US .. r.state .. US .. int(r.version) .. US .. (extra or '') .. RS
  r.state, r.version, r.transition = state, r.version + 1, transition
  local text = encode(r)
  set_record(id, text)
  events[#events + 1] = before .. text
  return text
end

-- missing_level returns the first level that a record has units of and the working copy lacks, or
-- nil. A level whose units have all left does not count: it may have been removed since.
local function missing_level(r, copy)
  for _, line in ipairs(r.lines) do
    for _, a in ipairs(line.from) do
      if a.quantity > a.fulfilled and copy[a.level] == nil then return a.level end
    end
  end
  return nil
end

-- add_levels adds the levels of a record's allocations to a list of add_once.
local function add_levels(r, names)
  for _, line in ipairs(r.lines) do
    for _, a in ipairs(line.from) do add_once(names, a.level) end
  end
end
