-- records reads, changes and writes the records of reservations.

local decoded = {} -- id -> its record as a table
local CONFLICT = 'conflict' -- transition of a record whose id the ledger has for another reservation
local PARTS_PER_CALL = 128 -- a call takes no further reservation when it has as many parts
local BYTES_PER_PART = 200 -- of a record that is not decoded yet: 16 or more
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
local LINE = '^([^\31\30]*)\31([^\31\30]*)\31([^\31\30]*)\31([^\31\30]*)([^\30]*)' -- one pattern is faster than split
local ALLOCATION = '^\31([^\31]*)\31(%d+)\31(%d+)'

-- decode_allocations reads the allocations of a line, or returns nil if they can't be read.
local function decode_allocations(sku, text)
  local from, at, n = {}, 1, 0
  while at <= #text do
    local _, last, location, quantity, fulfilled = string.find(text, ALLOCATION, at)
    local units, gone = whole(quantity or ''), whole(fulfilled or '')
    if not (units and gone) then return nil end
    at, n = last + 1, n + 1
    from[n] = { location = location, level = sku .. US .. location, quantity = units, fulfilled = gone }
  end
  return from
end

-- decode_lines reads the lines of a record, or returns nil if they can't be read.
local function decode_lines(body)
  local lines, at, has_attributes = {}, 1, string.find(body, FS, 1, true)
  repeat
    local _, last, name, sku, requested, returned, rest = string.find(body, LINE, at)
    local from = last and decode_allocations(sku, rest)
    if not from then return nil end
    at = last + 2
    lines[#lines + 1] = { line = name, sku = sku, requested = requested, returned = returned, from = from }
    parts_decoded = parts_decoded + math.max(1, #from)
    if has_attributes then
      local _, extras = string.gsub(name, FS, FS)
      parts_decoded = parts_decoded + extras
    end
  until last == #body
  return lines
end

local function decode(text)
  local state, version, expires, creation_nonce, created, transition, fixed, body = string.match(text, HEAD)
  if not state then return nil end
  local r = {
    state = state, version = whole(version), expires = whole(expires), creation_nonce = creation_nonce,
    created = created, transition = transition, fixed = fixed, body = body,
  }
  if not (r.version and r.expires) then return nil end
  r.lines = decode_lines(body)
  return r.lines and r
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

-- is_full reports whether a call has no room for another record, besides those that it decoded.
local function is_full(text)
  return parts_decoded > 0 and parts_decoded + #(text or '') / BYTES_PER_PART >= PARTS_PER_CALL
end

-- read_reservations reads and decodes the reservations of n ids from first on. It returns how many a
-- call may take: the caller sends the others again. It reads a few at a time, as a record may be
-- large.
local IDS_PER_READ = 8
local function read_reservations(key, ids, first, n)
  for i = 1, n do
    if i % IDS_PER_READ == 1 then read_records(key, ids, first + i - 1, first + math.min(i + IDS_PER_READ - 2, n - 1)) end
    if is_full(records[ids[first + i - 1]]) then return i - 1 end
    reservation(ids[first + i - 1])
  end
  return n
end

-- encode writes a record. A caller that changes lines sets r.body to nil, so that it is made again.
local function encode(r)
  if not r.body then
    local parts = {}
    for i, line in ipairs(r.lines) do
      local text = line.line .. US .. line.sku .. US .. line.requested .. US .. line.returned
      local from, first = line.from, line.from[1]
      if first and not from[2] then -- most lines have one
        text = text .. US .. first.location .. US .. int(first.quantity) .. US .. int(first.fulfilled)
      elseif first then
        local f = { text }
        for _, a in ipairs(from) do f[#f + 1] = a.location .. US .. int(a.quantity) .. US .. int(a.fulfilled) end
        text = table.concat(f, US)
      end
      parts[i] = text
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
  local lines = r.lines
  for i = 1, #lines do
    local from = lines[i].from
    for j = 1, #from do
      local a = from[j]
      if a.quantity > a.fulfilled and copy[a.level] == nil then return a.level end
    end
  end
  return nil
end

-- add_levels adds the levels of a record's allocations to a list of add_once.
local function add_levels(r, names)
  local lines = r.lines
  for i = 1, #lines do
    local from = lines[i].from
    for j = 1, #from do add_once(names, from[j].level) end
  end
end
