-- describe changes whom a reservation is for: its customer, its order, and the identities that
-- purchase limits count beside the customer. What the limits count moves along.
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
--   ARGV[4]  parts_max     the most parts of a reservation
--   ARGV[5]  bytes_max     the most bytes of the names of its lines
--   ARGV[6]  the n ids, then for each request: version or "", transition, settled (the ledger's
--            version, or "*" without a ledger), the ledger's record if Redis may have forgotten it or
--            "", what only the ledger keeps and changes or "", "=" and the customer or "", "=" and the
--            order or "", "1" if identities follow or "", identities, then each identity
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), {"refused"} (XADD failed), or
-- {"ok", now_ms, version of the location list, status, payload, …}: per request, the first of
--   {"not_found", ""}            there is no such reservation
--   {"corrupt", id}              the stored record can't be read
--   {"conflict", ""}             the ledger has another reservation under this id
--   {"unsettled", record}        the ledger has not decided that version yet
--   {"repeat", record}           it says all that already: nothing changed
--   {"version_conflict", record}  it has another version
--   {"no_identity", ""}          a purchase limit counts it, and would have nobody to count
--   {"too_many_parts", parts bytes}  identities would take the record over its limits
--   {"more_due", ""}             refused, but more overdue units can be reclaimed: send it again
--   {"purchase_limit", limit identity most units}  the identity would exceed the limit
--   {"done", record}             changed

--@ records limits attributes plain expiry transitions

-- bind
local stock_key, reservations_key, deadlines_key, limits_key, events_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local parts_max, bytes_max = tonumber(args[4]), tonumber(args[5])
local first_id, first_request = 6, 6 + n
local HEAD_SIZE = 9 -- arguments of a request, before its identities

-- describe_fixed returns what a record never changes otherwise, with the customer and the order of a
-- request.
local function describe_fixed(fixed, at)
  local f, customer, order = split(fixed, US), args[at + 5], args[at + 6]
  if customer ~= '' then f[3] = string.sub(customer, 2) end
  if order ~= '' then f[4] = string.sub(order, 2) end
  return table.concat(f, US)
end

-- identities_of returns the identities that a request sets, or nil.
local function identities_of(at)
  if args[at + 7] == '' then return nil end
  local identities = {}
  for i = 1, tonumber(args[at + 8]) do identities[i] = args[at + 8 + i] end
  return identities
end

-- size_of returns the parts of a record, and the bytes of the names of its lines, as they are with some
-- identities. To make such lines takes long if there are many.
local function size_of(r, identities)
  local parts, bytes, named = 0, 0, 0
  for _, identity in ipairs(identities) do named = named + #identity end
  for _, line in ipairs(r.lines) do
    parts = parts + math.max(1, #line.from)
    bytes = bytes + #line.line + #line.sku + #line.requested + #line.returned + 3
    for _, limit in ipairs(attributes(line).limits) do
      local size = #int(limit.most) + #int(limit.each) + #limit.id + (limit.frees_on_return and 3 or 2)
      if limit.identity == nil then
        parts, bytes = parts + 1 + #identities, bytes + #identities * (size + 2) + named
      elseif limit.identity == '' then
        parts = parts + 1
      else
        bytes = bytes - size - 2 - #limit.identity
      end
    end
  end
  return parts, bytes
end

-- described returns a record as a request wants it. If it would be too large, it has no lines, but its
-- size.
local function described(r, at)
  local identities = identities_of(at)
  local next = { version = r.version, state = r.state, fixed = describe_fixed(r.fixed, at), lines = {} }
  if identities then
    local parts, bytes = size_of(r, identities)
    if parts > parts_max or bytes > bytes_max then
      next.size = int(parts) .. US .. int(bytes)
      return next
    end
  end
  for i, line in ipairs(r.lines) do
    next.lines[i] = { line = line.line, sku = line.sku, requested = line.requested, returned = line.returned, from = line.from }
    if identities then set_identities(next.lines[i], identities) end
  end
  return next
end

-- read
local closed, locations_version = read_stock(stock_key)
if closed then return { closed } end
n = read_reservations(reservations_key, args, first_id, n)
local list, wanted, at = {}, {}, first_request -- wanted: place of a request -> the record as it wants it
for i = 1, n do
  local id = args[first_id + i - 1]
  if not records[id] and args[at + 3] ~= '' then
    if i > 1 and is_full(args[at + 3]) then
      n = i - 1
      break
    end
    records[id] = args[at + 3]
  end
  local r = reservation(id)
  if r then
    wanted[at] = described(r, at)
    list[#list + 1], list[#list + 2] = r, wanted[at]
  end
  at = at + HEAD_SIZE + args[at + HEAD_SIZE - 1]
  if parts_decoded >= PARTS_PER_CALL then
    n = i
    break
  end
end
read_limits(limits_key, list)

-- decide
-- is_same reports whether two records say the same.
local function is_same(r, next)
  if next.size or r.fixed ~= next.fixed then return false end
  for i, line in ipairs(r.lines) do
    if line.line ~= next.lines[i].line then return false end
  end
  return true
end

-- counts_nobody reports whether limits count a record, but neither a customer nor an identity.
local function counts_nobody(r)
  local wanted, counted = false, split(r.fixed, US)[3] ~= ''
  for _, line in ipairs(r.lines) do
    for _, limit in ipairs(attributes(line).limits) do
      wanted = wanted or limit.identity == nil
      counted = counted or (limit.identity or '') ~= ''
    end
  end
  return wanted and not counted
end

-- moves lists what the counters of limits change by when one record becomes another.
local function moves(r, next)
  local moved, of = {}, {}
  local function add(sign)
    return function(name, units, most)
      local m = of[name] or { name = name, units = 0, most = most }
      if not of[name] then of[name], moved[#moved + 1] = m, m end
      m.units = m.units + sign * units
    end
  end
  each_count(r, add(-1))
  each_count(next, add(1))
  return moved
end

-- exceeded returns the first limit that an identity would exceed, as the answer has it, or nil.
local function exceeded(moved)
  for _, m in ipairs(moved) do
    local units = limit_units[m.name]
    if m.units > 0 and units and units + m.units > m.most then
      return table.concat({ m.name, int(m.most), int(units) }, US)
    end
  end
  return nil
end

-- describe needs the ledger's version for every state: what only the ledger keeps was worked out from
-- that version.
local function describe(id, r, place, version, transition, settled, _, extra)
  local before, next = r.version, wanted[place]
  if not next or next.version ~= before then next = described(r, place) end
  if settled ~= '*' and settled ~= int(before) then return 'unsettled', records[id] end
  if extra == '' and is_same(r, next) and (version == '' or tonumber(version) <= before) then return 'repeat', records[id] end
  if version ~= '' and version ~= int(before) then return 'version_conflict', records[id] end
  if next.size then return 'too_many_parts', next.size end
  if counts_nobody(next) and not counts_nobody(r) then return 'no_identity', '' end
  local moved = moves(r, next)
  local over = exceeded(moved)
  if over and not reclaimed then
    reclaim(stock_key, reservations_key, deadlines_key, limits_key, now)
    r = reservation(id)
    if r.version ~= before then return 'unsettled', records[id] end -- it was overdue itself
    over = exceeded(moved)
  end
  if over and more_due then return 'more_due', '' end
  if over then return 'purchase_limit', over end
  for _, m in ipairs(moved) do
    if m.units ~= 0 then add_to_limit(m.name, m.units) end
  end
  if string.sub(r.transition, -1) == SALE then transition = transition .. SALE end
  r.fixed, r.lines, r.body = next.fixed, next.lines, nil
  return 'done', step('describe', id, r, r.state, transition, extra)
end

--@ requests
local reply = answer_each(of_reservation(describe), HEAD_SIZE, 1)

-- write
if #events > 0 then
  event_version = '2' -- an older Holdfast knows no describe
  if not append(events_key, nonce, now) then return { 'refused' } end
  write_stock(stock_key, {})
  write_records(reservations_key, {})
  write_limits(limits_key)
end
if #due > 0 then write_deadlines(deadlines_key) end

-- return
return reply
