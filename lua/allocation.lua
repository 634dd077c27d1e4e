-- allocation chooses the candidates that serve the lines of a request, and takes their units. It needs
-- candidates.

local PARTS_MAX = 500 -- as in internal/wire: each line or component, at each location that serves it

-- The units taken for the request under decision, so that they can be put back if it is refused.
local journal_level, journal_units, journal = {}, {}, 0

local function draw(level, units)
  available[level] = available[level] - units
  journal = journal + 1
  journal_level[journal], journal_units[journal] = level, units
end

-- take takes units of a line from the candidate with that number.
local function take(line, number, units)
  local candidate, from = line.candidates[number], line.from
  if line.each then
    for i, level in ipairs(candidate) do draw(level, units * line.each[i]) end
  else
    draw(candidate, units)
  end
  local n = #from
  from[n + 1], from[n + 2] = number, units
end

-- put_back puts back all that was taken.
local function put_back()
  for i = journal, 1, -1 do
    local level = journal_level[i]
    available[level] = available[level] + journal_units[i]
  end
  journal = 0
end

-- A place is a location that may serve some lines. It lists them in order, and the number of each
-- one's candidate there. A place is shared if two lines want the same level.

-- find_shared finds out whether a place is shared. It notes the levels of a candidate in wanted.
local function find_shared(place, line, candidate, wanted)
  for _, level in ipairs(line.each and candidate or { candidate }) do
    place.shared = place.shared or wanted[level]
    wanted[level] = true
  end
end

-- may_share reports whether two lines may want the same level: there are kits, or two lines have the
-- same SKU.
local function may_share(lines)
  local seen = {}
  for i = 1, #lines do
    local level = lines[i].candidates[1]
    if lines[i].each or not level then return true end
    local sku = string.sub(level, 1, string.find(level, US, 1, true))
    if seen[sku] then return true end
    seen[sku] = true
  end
  return false
end

-- places_of lists the places of lines in routed order, that of the first line that names them.
local function places_of(lines)
  local places, named, wanted, shared = {}, {}, {}, may_share(lines)
  for i = 1, #lines do
    local line, at = lines[i], nil
    line.places = { nil, nil, nil, nil }
    for number, candidate in ipairs(line.candidates) do
      local level = line.each and candidate[1] or candidate
      at = at or string.find(level, US, 1, true) -- all levels of a line begin with one SKU
      local location = string.sub(level, at)
      local place = named[location]
      if not place then
        place = { lines = {}, numbers = {}, next = 1, n = 0 }
        named[location] = place
        places[#places + 1] = place
      end
      local n = place.n + 1
      place.n, place.lines[n], place.numbers[n] = n, line, number
      line.places[number] = place
      if shared then find_shared(place, line, candidate, wanted) end
    end
  end
  return places
end

-- survey finds which of the lines left a place can serve whole, one after the other: serves, line
-- -> number of its candidate, and served, how many. The sum is what the place has for all lines. If
-- has is given, it gets what the place has for each of the other lines.
local function survey(place, has)
  local units = place.shared and setmetatable({}, { __index = available }) or available
  local serves, served, sum = {}, 0, 0
  for n = 1, place.n do
    local line = place.lines[n]
    if not line.taken then
      local number, quantity = place.numbers[n], line.quantity
      local candidate = line.candidates[number]
      local there = line.each and units_at(line, candidate, units) or units[candidate]
      if there < quantity then
        if there > 0 then sum = sum + there end
        if has then has[line] = math.max(0, there) end
      else
        serves[line], served, sum = number, served + 1, sum + quantity
        if place.shared then
          for i, level in ipairs(line.each and candidate or { candidate }) do
            units[level] = units[level] - quantity * (line.each and line.each[i] or 1)
          end
        end
      end
    end
  end
  place.serves, place.served, place.sum = serves, served, sum
end

-- routed_at returns a number by which a place stands in the routed order of the lines left.
local function routed_at(place)
  while place.lines[place.next].taken do place.next = place.next + 1 end
  return place.lines[place.next].number * 1e6 + place.numbers[place.next]
end

-- best_place returns the place that serves the most of the lines left, the first of equals, or nil.
local function best_place(places)
  local best, best_at = nil, nil
  for _, place in ipairs(places) do
    if place.served > 0 and (not best or place.served >= best.served) then
      local at = routed_at(place)
      if not best or place.served > best.served or at < best_at then best, best_at = place, at end
    end
  end
  return best
end

-- take_at takes the lines that a place serves. Another place that would serve one of them is
-- surveyed again if it is shared: it may serve other lines now.
local function take_at(place)
  local again = {}
  for line, number in pairs(place.serves) do
    line.taken = true
    local others = line.places
    for i = 1, #others do
      local other = others[i]
      if other ~= place and other.serves[line] then
        other.serves[line], other.served = nil, other.served - 1
        if other.shared then again[other] = true end
      end
    end
  end
  for n = 1, place.n do
    local line = place.lines[n]
    if place.serves[line] then take(line, place.serves[line], line.quantity) end
  end
  place.serves, place.served = {}, 0
  for other in pairs(again) do survey(other) end
end

-- serve takes lines whole, from the best place of those left to the next.
local function serve(places)
  local best = best_place(places)
  while best do
    take_at(best)
    best = best_place(places)
  end
end

-- shortages_at_best lists the shortages at the place that could serve the most units.
local function shortages_at_best(lines, places)
  local best, short, has = nil, {}, {}
  for _, place in ipairs(places) do
    if not best or place.sum > best.sum then best = place end
  end
  survey(best, has)
  for _, line in ipairs(lines) do
    if not best.serves[line] then short[#short + 1] = int(line.number) .. US .. int(has[line] or 0) end
  end
  return short
end

-- fewest chooses the smallest number of amounts that reach need, and of such sets the first in the
-- order given. It returns their numbers. Each amount is positive, and their sum reaches need.
--
-- It goes through the amounts in order, and takes one if it and the largest of those after it are
-- enough. The places in the order of size are a linked list, from which each amount goes in turn.
-- The amounts up to last are the largest, size of them, and sum is what they have together.
local function fewest(amounts, need)
  local order, after, before = descending(amounts), { [0] = 1 }, {}
  local rank, size, sum = {}, 0, 0
  for i, number in ipairs(order) do
    rank[number], after[i], before[i] = i, i + 1, i - 1
  end
  repeat
    size = size + 1
    sum = sum + amounts[order[size]]
  until sum >= need
  local last, chosen = size, {}
  for i, units in ipairs(amounts) do
    if size == 0 then break end
    local at = rank[i]
    sum = sum - (at > last and amounts[order[last]] or units) -- without this one, and one less
    if at >= last then last = before[last] end
    after[before[at]], before[after[at]] = after[at], before[at]
    if units + sum >= need then
      chosen[#chosen + 1] = i
      need, size = need - units, size - 1
    else
      last = after[last]
      sum = sum + (amounts[order[last]] or 0)
    end
  end
  return chosen
end

-- take_split takes one line from several candidates. If they do not have enough, it takes nothing
-- and returns the units that there are.
local function take_split(line)
  local some, amounts, n, sum = {}, {}, 0, 0
  for number, candidate in ipairs(line.candidates) do
    local units = units_at(line, candidate, available)
    if units > 0 then
      n, sum = n + 1, sum + units
      some[n], amounts[n] = number, units
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

-- shortage takes a line from several candidates if the way is "units". It returns nil, or what there
-- is of the line: the most that one candidate has, or all have together.
local function shortage(line, way)
  if way == 'units' then return take_split(line) end
  local most, candidates = 0, line.candidates
  for i = 1, #candidates do
    local units = line.each and units_at(line, candidates[i], available) or available[candidates[i]]
    if units > most then most = units end
  end
  return most
end

-- allocate_one takes a single line, and returns nil or its shortage.
local function allocate_one(line, way)
  for number, units in ipairs(units_at_all(line, 1)) do
    if units >= line.quantity then
      take(line, number, line.quantity)
      return nil
    end
  end
  local there = shortage(line, way)
  return there and { int(line.number) .. US .. int(there) }
end

-- allocate takes all lines and returns nil, or takes nothing and returns the shortages. The way is
-- "never" (all lines from one location), "lines" (each from one) or "units" (each from several).
local function allocate(lines, way)
  if #lines == 1 then return allocate_one(lines[1], way) end
  local places, short = places_of(lines), {}
  for _, place in ipairs(places) do survey(place) end
  local best = best_place(places)
  if way == 'never' and not (best and best.served == #lines) then return shortages_at_best(lines, places) end
  serve(places)
  for _, line in ipairs(lines) do
    local there = not line.taken and shortage(line, way)
    if there then short[#short + 1] = int(line.number) .. US .. int(there) end
  end
  if #short == 0 then return nil end
  put_back()
  return short
end
