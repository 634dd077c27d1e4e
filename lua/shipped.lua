-- shipped takes back units that have left. It stands in a script's read section, and uses its args,
-- n, first_id, first_request, quantity_max and locations_max. A request has eight arguments:
-- version, transition, settled, operation, fingerprint, location, the ledger's record if Redis has
-- forgotten it or "", and the number of its parts, which follow. It needs partial, operations and
-- levels.

-- read_shipped reads the operations, the reservations that Redis has forgotten, and the levels that
-- name_levels adds to a list of add_once, given reservation and location. It returns how many
-- requests the call may take.
local function read_shipped(stock_key, levels_key, operations_key, name_levels)
  local ids, names, at = {}, {}, first_request
  for i = 1, n do
    local id = args[first_id + i - 1]
    if not records[id] and args[at + 6] ~= '' then
      if i > 1 and is_full(args[at + 6]) then break end
      records[id] = args[at + 6]
    end
    ids[i] = args[at + 3]
    local r = reservation(id)
    if r then name_levels(r, args[at + 5], names) end
    at = at + 8 + 2 * args[at + 7]
    if i == n or parts_decoded >= PARTS_PER_CALL then break end
  end
  read_locations(levels_key)
  read_fields(operations_key, ids, 1, #ids, load_operation)
  read_fields(stock_key, names, 1, #names, load_available)
  read_fields(levels_key, names, 1, #names, load_counts)
  return #ids
end

-- units_fulfilled returns the units of a line that have left.
local function units_fulfilled(line)
  local units, from = 0, line.from
  for i = 1, #from do units = units + from[i].fulfilled end
  return units
end

-- units_out returns the units that left and did not come back. The lines are those of one kit, or a
-- single one.
local function units_out(r, numbers)
  local most = nil
  for _, number in ipairs(numbers) do
    local line = r.lines[number]
    local units = math.floor((units_fulfilled(line) - whole(line.returned)) / attributes(line).each)
    most = math.min(most or units, units)
  end
  return most
end

-- read_back returns a refusal and its payload, or nil, nil and line number -> units.
local function read_back(r, at, count)
  local parts, named = {}, lines_by_name(r)
  for i = 1, count do
    local numbers, units = named[args[at + 2 * i - 2]], tonumber(args[at + 2 * i - 1])
    if not numbers then return 'unknown_line', int(i) end
    local most = units_out(r, numbers)
    if units > most then return 'exceeds', int(i) .. US .. int(most) end
    for _, number in ipairs(numbers) do parts[number] = units * attributes(r.lines[number]).each end
  end
  return nil, nil, parts
end

-- obstacle returns why levels can't get units on hand, a refusal and its payload, or nil.
local function obstacle(list, units)
  local new = {}
  for _, level in ipairs(list) do
    if is_broken(level) then return 'corrupt', level end
    local there, location = counts[level] and counts[level][1] or 0, level_location(level)
    if there + units[level] > quantity_max then return 'over_limit', level .. US .. int(there) end
    if not is_location[location] then add_once(new, location) end
    if #new > 0 and #locations + #new > locations_max then return 'too_many_locations', '' end
  end
  return nil
end
