-- amend changes the lines of a reservation: their units, up or down, and which lines there are. All
-- changes are made, or none.
--
-- The caller plans an amend against one version of the record: which texts the lines get, and which
-- candidates may serve them. If the record has another version, the script asks for another plan.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[5]  deadlines     zset    deadline, Unix ms -> ids
--   KEYS[6]  limits        hash    limit, customer -> units
--   KEYS[7]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  k             levels that the requests' candidates name
--   ARGV[5]  the n ids, the k levels, then for each request: version or "", transition, settled (the
--            ledger's version, or "*" without a ledger), id of the operation or "", its fingerprint,
--            planned (version of the record that the plan is made for, or "" without a plan), "all"
--            if the candidates are all there are, split, "1" if a line that gets more units may be
--            backordered or "", " @1000-2000" if the campaigns of such lines sell from 1000 on and
--            before 2000, Unix ms, or "", lines, then for each line
--              name
--              text, quantity and candidates, as reserve takes them. The quantity is that of the
--                whole line; "0" removes the line, which has no text. Candidates where the line has
--                units already come first
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), {"refused"} (XADD failed), or
-- {"ok", now_ms, version of the location list, status, payload, …}: per request, the first of
--   {"not_found", ""}            there is no such reservation
--   {"corrupt", level}           a stored value is not a whole number
--   {"conflict", ""}             the ledger has another reservation under this id, or the
--                                operation's id was used for another one
--   {"repeat", record}           the same operation was made before; or, without an operation, this
--                                call was the last: nothing changed
--   {"repeat_durable", record}   as repeat, for a reservation that is or was confirmed
--   {"wrong_state", record}      it is neither confirmed, nor held before its deadline
--   {"version_conflict", record}  it has another version
--   {"unsettled", record}        it is confirmed, and the ledger has not decided that version yet
--   {"elsewhere", record}        there is no plan for this version, or units must come from
--                                candidates that the plan does not name
--   {"not_on_sale", ""}          a campaign that counts more units has not started, or is over
--   {"no_location", line …}      numbers of the lines of which no candidate has a level
--   {"more_due", ""}             refused, but more overdue units can be reclaimed: send it again
--   {"purchase_limit", limit identity most units}  the limit, and what it counts already
--   {"insufficient", line available …}  each short line, with the most that it could have
--   {"too_many_parts", ""}       it would come from too many locations
--   {"done", record}             amended
--   {"done_durable", record}     amended, and it is confirmed

--@ records limits attributes plain expiry

-- bind
local stock_key, levels_key, reservations_key, operations_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local deadlines_key, limits_key, events_key = KEYS[5], KEYS[6], KEYS[7]
local args = ARGV
local now, nonce, n, k = clock(args[1]), args[2], tonumber(args[3]), tonumber(args[4])
local first_id, first_level, first_request = 5, 5 + n, 5 + n + k

-- location_of returns the location of a level between two separators, as a record has it.
local function location_of(level)
  return string.sub(level, string.find(level, US, 1, true), -1) .. US
end

--@ candidates allocation backorder counts transitions partial operations

local HEAD_SIZE, LINE_SIZE = 11, 4 -- arguments of a request, and of each of its lines

-- read
local closed, locations_version = read_stock(stock_key, args, first_level, first_level + k - 1)
if closed then return { closed } end
n = read_reservations(reservations_key, args, first_id, n)

-- new_line makes a line of a record from its text in the request.
local function new_line(text)
  local line, sku, requested, returned = string.match(text, '^([^\31]*)\31([^\31]*)\31([^\31]*)\31([^\31]*)$')
  return { line = line, sku = sku, requested = requested, returned = returned, from = {} }
end

-- read_item reads one line of a request. Its parts are the lines that the record will have for it:
-- one, or one for each component of a kit. Its before are the lines that the record has.
local function read_item(r, at, named)
  local line, bad = read_line(at + 1)
  local item = {
    line = line, candidates = line.candidates, names = line.names, parts = {}, before = {}, units = line.quantity,
    had = 0, fulfilled = 0, here = {},
  }
  for i, text in ipairs(line.quantity > 0 and (line.texts or { line.text }) or {}) do item.parts[i] = new_line(text) end
  for i, number in ipairs(named[args[at]] or {}) do item.before[i] = r.lines[number] end
  local first = item.before[1]
  for _, a in ipairs(first and first.from or {}) do
    local each = attributes(first).each
    item.had, item.fulfilled = item.had + a.quantity / each, item.fulfilled + a.fulfilled / each
    item.here[location_of(a.level)] = true
  end
  return item, bad
end

-- identities_of lists the identities that limits of a record count beside the customer.
local function identities_of(r)
  local list = {}
  for _, line in ipairs(is_limited(r) and r.lines or {}) do
    for _, limit in ipairs(attributes(line).limits) do
      if (limit.identity or '') ~= '' then add_once(list, limit.identity) end
    end
  end
  return list
end

-- plan_of reads a plan: its items, those with more units, the lines that the record will have, and
-- a broken level, if there is one.
local function plan_of(r, at, count)
  local named, of_line, identities = lines_by_name(r), {}, identities_of(r)
  local plan = { version = r.version, items = {}, lines = {}, fixed = r.fixed, grown = { fixed = r.fixed, lines = {} } }
  for i = 1, count do
    local item, bad = read_item(r, at + LINE_SIZE * (i - 1), named)
    item.number, plan.items[i], plan.bad = i, item, plan.bad or bad
    for j, number in ipairs(named[args[at + LINE_SIZE * (i - 1)]] or {}) do of_line[number] = item.parts[j] or false end
    for j, part in ipairs(item.parts) do
      part.from[1] = { quantity = item.units * (item.line.each and item.line.each[j] or 1) }
      if item.units > item.had then
        if #identities > 0 then set_identities(part, identities) end
        table.insert(plan.grown.lines, part)
      end
    end
  end
  for i, line in ipairs(r.lines) do
    local part = of_line[i]
    if part == nil then part = line end
    if part then table.insert(plan.lines, part) end
  end
  for _, item in ipairs(plan.items) do
    for j = #item.before + 1, #item.parts do table.insert(plan.lines, item.parts[j]) end
  end
  return plan
end

local plans, names, limited, ids, at = {}, {}, {}, {}, first_request
for i = 1, n do
  local r, count = reservation(args[first_id + i - 1]), tonumber(args[at + 10])
  if args[at + 3] ~= '' then ids[#ids + 1] = args[at + 3] end
  if r and (r.state == 'held' or r.state == 'confirmed') then
    add_levels(r, names)
    if args[at + 5] == int(r.version) then
      plans[at] = plan_of(r, at + HEAD_SIZE, count)
      limited[#limited + 1], limited[#limited + 2] = r, plans[at]
    end
  end
  at = at + HEAD_SIZE + LINE_SIZE * count
end
read_fields(operations_key, ids, 1, #ids, load_operation)
read_fields(stock_key, names, 1, #names, function(level, text)
  if available[level] == nil then load_available(level, text) end
end)
read_limits(limits_key, limited)

-- decide
-- keep gives back what an item has more than some units, the last allocation first, and notes in
-- its parts what is kept. It forgets an earlier attempt.
local function keep(item, units)
  local line = item.line
  line.from, line.taken, line.candidates, line.names = {}, nil, item.candidates, item.names
  for _, part in ipairs(item.parts) do part.from = {} end
  for i, before in ipairs(item.before) do
    local part, rest = item.parts[i], math.max(0, item.had - units) * attributes(before).each
    for j = #before.from, 1, -1 do
      local a = before.from[j]
      local back = math.min(rest, a.quantity - a.fulfilled)
      if back > 0 then draw(a.level, -back) end
      rest = rest - back
      if a.quantity > back then
        table.insert(part.from, 1, { location = a.location, level = a.level, quantity = a.quantity - back, fulfilled = a.fulfilled })
      end
    end
  end
end

-- take_here takes units of an item where it has some already. If they are not enough there, it
-- takes those that there are, or nothing if whole. If late, it takes the others too, from the first
-- location, although they are not available. It returns the units that are missing.
local function take_here(item, units, whole, late)
  local line, there, rest = item.line, {}, units
  for number, candidate in ipairs(line.candidates) do
    there[number] = 0
    if item.here[candidate_location(line, candidate)] then
      there[number] = math.min(rest, math.max(0, units_at(line, candidate, available)))
      rest = rest - there[number]
    end
  end
  for number, candidate in ipairs(line.candidates) do
    if late and rest > 0 and item.here[candidate_location(line, candidate)] then
      there[number], rest = there[number] + rest, 0
    end
  end
  for number, some in ipairs(there) do
    if some > 0 and (rest == 0 or not whole) then take(line, number, some) end
  end
  return rest
end

-- kept_locations returns the locations that the lines of a plan have units at by now, or nil.
local function kept_locations(plan)
  local kept = {}
  for _, line in ipairs(plan.lines) do
    for _, a in ipairs(line.from) do kept[location_of(a.level)] = true end
  end
  return next(kept) and kept
end

-- restrict leaves a line only its candidates at some locations.
local function restrict(line, kept)
  local candidates, names = {}, {}
  for i, candidate in ipairs(line.candidates) do
    if kept[candidate_location(line, candidate)] then
      candidates[#candidates + 1], names[#names + 1] = candidate, line.names[i]
    end
  end
  line.candidates, line.names = candidates, names
end

-- serve_rest takes what is missing of some items, as reserve would. It returns the short ones.
local function serve_rest(plan, items, way, choose)
  local lines, short, kept = {}, {}, way == 'never' and kept_locations(plan)
  for i, item in ipairs(items) do
    lines[i], item.line.number = item.line, i
    if kept then restrict(item.line, kept) end
    if #item.line.candidates == 0 then short[#short + 1] = { item, item.units - item.line.quantity } end
  end
  if #short > 0 or #lines == 0 then return short end
  for i, text in ipairs(choose(lines, way) or {}) do
    local number, there = string.match(text, '^(%d+)\31(%d+)$')
    local item = items[tonumber(number)]
    short[i] = { item, item.units - item.line.quantity + tonumber(there) }
  end
  return short
end

-- serve_plan gives back and takes the units of a plan. It returns the short items, each with the most
-- units that it could have. The items in rerouted, a set of numbers, give all back and are served as
-- new lines. The others take only the missing units: at their present locations, and if the way is
-- "units", then from other candidates. If lines may be backordered now, choose allocates the new
-- lines, and the others take the missing units at their present locations.
local function serve_plan(plan, way, rerouted, choose)
  local short, rest = {}, {}
  journal = 0
  for i, item in ipairs(plan.items) do keep(item, rerouted[i] and 0 or item.units) end
  for i, item in ipairs(plan.items) do
    local fresh = rerouted[i] or item.had == 0
    local missing = item.units - (fresh and 0 or item.had)
    if missing > 0 and not fresh then
      local late = choose ~= allocate and may_be_backordered(item.line)
      missing = take_here(item, missing, way ~= 'units' and not late, late)
    end
    item.line.quantity = missing
    if missing > 0 and not fresh and way ~= 'units' then
      short[#short + 1] = { item, item.units - missing }
    elseif missing > 0 then
      rest[#rest + 1] = item
    end
  end
  if #short > 0 then return short end
  return serve_rest(plan, rest, way, choose)
end

-- again_of returns the items to serve as new lines if some are short: those, or all that get more
-- units if one location must serve everything. It returns nil if that can't help.
local function again_of(plan, short, way)
  local rerouted, any = {}, false
  for _, entry in ipairs(short) do
    if entry[1].fulfilled > 0 then return nil end
    rerouted[entry[1].number] = true
  end
  for i, item in ipairs(plan.items) do
    if way == 'never' and item.fulfilled == 0 and #item.line.candidates > 0 then rerouted[i] = true end
    any = any or rerouted[i] and item.had > 0
  end
  return any and rerouted or nil
end

-- shortages_of lists short items, each with the most that it had in one of two attempts.
local function shortages_of(short, before)
  local most, texts = {}, {}
  for _, entry in ipairs(before) do most[entry[1].number] = entry[2] end
  for i, entry in ipairs(short) do
    local number = entry[1].number
    texts[i] = int(number) .. US .. int(math.max(entry[2], most[number] or 0))
  end
  return table.concat(texts, RS)
end

-- exceeded_by returns the first purchase limit that a plan would exceed, and "corrupt" if the text
-- of a counter is no number. What the reservation has already counts once.
local function exceeded_by(r, plan)
  local more, over, corrupt = {}, nil, nil
  plan.limited = is_limited(r) or is_limited(plan)
  if not plan.limited then return nil end
  each_limit(r, nil, function(name, units) more[name] = (more[name] or 0) - units end)
  each_limit(plan, nil, function(name, units) more[name] = (more[name] or 0) + units end)
  each_limit(plan.grown, nil, function(name, _, most)
    local units = limit_units[name]
    corrupt = corrupt or not units
    if units and not over and more[name] > 0 and units + more[name] > most then
      over = table.concat({ name, int(most), int(units) }, US)
    end
  end)
  return over, corrupt
end

-- try makes the changes of a plan on the working copy of the levels. It returns a refusal and its
-- payload, or nil, nil and the plan as it was made.
local function try(id, r, at, count, way, all, choose)
  local plan = #touched_levels == 0 and plans[at] or plan_of(r, at + HEAD_SIZE, count)
  plans[at] = nil -- an attempt changes it
  if plan.bad then return 'corrupt', plan.bad end
  local nowhere = {}
  for _, item in ipairs(plan.items) do
    if item.units > item.had and #item.line.candidates == 0 then nowhere[#nowhere + 1] = int(item.number) end
  end
  if #nowhere > 0 and not all then return 'elsewhere', records[id] end
  if #nowhere > 0 then return 'no_location', table.concat(nowhere, US) end
  local over, corrupt = exceeded_by(r, plan)
  if corrupt then return 'corrupt', 'limits' end
  if over then return 'purchase_limit', over end
  local short = serve_plan(plan, way, {}, choose)
  if #short == 0 then return nil, nil, plan end
  put_back()
  if not all then return 'elsewhere', records[id] end
  local rerouted = way ~= 'units' and again_of(plan, short, way)
  if not rerouted then return 'insufficient', shortages_of(short, {}) end
  local still = serve_plan(plan, way, rerouted, choose)
  if #still == 0 then return nil, nil, plan end
  put_back()
  return 'insufficient', shortages_of(still, short)
end

-- merge adds what was taken for an item to the allocations of its parts.
local function merge(item)
  local line = item.line
  for j = 1, #line.from, 2 do
    local candidate, units = line.candidates[line.from[j]], line.from[j + 1]
    for i, level in ipairs(line.each and candidate or { candidate }) do
      local part, there, more = item.parts[i], nil, units * (line.each and line.each[i] or 1)
      for _, a in ipairs(part.from) do
        if a.level == level then there = a end
      end
      if not there then
        there = { location = string.sub(location_of(level), 2, -2), level = level, quantity = 0, fulfilled = 0 }
        table.insert(part.from, there)
      end
      there.quantity = there.quantity + more
    end
  end
end

-- allocations counts the parts of a record's lines, and returns how many units are not fulfilled.
local function allocations(r)
  local parts, left = 0, 0
  for _, line in ipairs(r.lines) do
    parts, left = parts + math.max(1, #line.from), left + units_left(line)
  end
  return parts, left
end

-- uncounted reads the counts of the levels that were drawn from. It returns one that is missing or
-- broken, or nil.
local function uncounted()
  local levels = {}
  for i = 1, journal do
    if counts[journal_level[i]] == nil then add_once(levels, journal_level[i]) end
  end
  read_fields(levels_key, levels, 1, #levels, load_counts)
  for _, level in ipairs(levels) do
    if counts[level] == nil then return level end
  end
  return nil
end

-- settle_in makes what was drawn final.
local function settle_in(r, plan)
  for i = 1, journal do
    local level, units = journal_level[i], journal_units[i]
    set_available(level, available[level])
    if r.state == 'confirmed' then add_counts(level, 0, units) end
  end
  if not plan.limited then return end
  each_limit(r, nil, function(name, units) add_to_limit(name, -units) end)
  each_limit(plan, nil, add_to_limit)
end

-- amend_record makes the changes of a plan that was tried.
local function amend_record(id, r, plan, transition, operation, fingerprint)
  for _, item in ipairs(plan.items) do merge(item) end
  local before, parts, left = allocations(r), allocations(plan)
  local broken_level = r.state == 'confirmed' and uncounted()
  if parts > PARTS_MAX and parts > before or broken_level then
    put_back()
    if broken_level then return 'corrupt', broken_level end
    return 'too_many_parts', ''
  end
  settle_in(r, plan)
  local confirmed, state = r.state == 'confirmed', r.state
  if left == 0 then state = 'fulfilled' end
  local next = {
    state = r.state, version = r.version, expires = r.expires, creation_nonce = r.creation_nonce, created = r.created,
    transition = r.transition, fixed = r.fixed, lines = plan.lines,
  }
  event_version = '2'
  local text = step('amend', id, next, state, transition, set_step_operation(operation, fingerprint, now, nonce))
  if confirmed then return 'done_durable', text end
  return 'done', text
end

local function amend(id, r, at, version, transition, settled, operation, fingerprint, planned, scope, way, backorder, window, lines)
  local confirmed = r.state == 'confirmed'
  local before = find_operation(operation, fingerprint)
  if before and not before.same then return 'conflict', '' end
  if before or operation == '' and r.transition == transition then
    local durable = confirmed or r.state == 'fulfilled' or string.sub(r.transition, -1) == SALE
    return durable and 'repeat_durable' or 'repeat', records[id]
  end
  if not confirmed and (r.state ~= 'held' or r.expires <= now) then return 'wrong_state', records[id] end
  if version ~= '' and version ~= int(r.version) then return 'version_conflict', records[id] end
  if is_unsettled(r, settled) then return 'unsettled', records[id] end
  if planned ~= int(r.version) then return 'elsewhere', records[id] end
  local starts, ends = string.match(window, '^ @(%d+)-(%d+)$')
  if starts and (now < tonumber(starts) or now >= tonumber(ends)) then return 'not_on_sale', '' end
  local level = missing_level(r, available)
  if level then return 'corrupt', level end
  local count, all = tonumber(lines), scope == 'all'
  local refusal, payload, plan = try(id, r, at, count, way, all, allocate)
  local lacks = refusal == 'insufficient' or refusal == 'purchase_limit'
  if lacks and not reclaimed and reclaim(stock_key, reservations_key, deadlines_key, limits_key, now, k) > 0 then
    refusal, payload, plan = try(id, r, at, count, way, all, allocate)
    lacks = refusal == 'insufficient' or refusal == 'purchase_limit'
  end
  if lacks and more_due then return 'more_due', '' end
  if refusal == 'insufficient' and backorder ~= '' then
    refusal, payload, plan = try(id, r, at, count, way, all, allocate_backordered)
  end
  if refusal then return refusal, payload end
  return amend_record(id, r, plan, transition, operation, fingerprint)
end

--@ requests
local reply = answer_each(of_reservation(amend), 11, 4)

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  write_stock(stock_key, {})
  write_counts(levels_key, {})
  write_records(reservations_key, {})
  write_limits(limits_key)
  write_operations(operations_key)
end
if #due > 0 then write_deadlines(deadlines_key) end

-- return
return reply
