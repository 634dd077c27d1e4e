-- allocation chooses the candidates that serve the lines of a request, and takes their units. It
-- stands in reserve, and uses its cursor and exceeded. It needs candidates.

-- The units taken for the request under decision, so that they can be put back if it is refused.
local journal_level, journal_units, journal = {}, {}, 0

local function draw(level, units)
  available[level] = available[level] - units
  journal = journal + 1
  journal_level[journal], journal_units[journal] = level, units
end

-- take takes units of a line from a candidate.
local function take(line, candidate, units)
  if line.each then
    for i, level in ipairs(candidate) do draw(level, units * line.each[i]) end
  else
    draw(candidate, units)
  end
  local from = line.from
  from[#from + 1] = candidate
  from[#from + 1] = units
end

-- put_back puts back what was taken since the journal had the given length.
local function put_back(length)
  for i = journal, length + 1, -1 do
    local level = journal_level[i]
    available[level] = available[level] + journal_units[i]
  end
  journal = length
end

-- clear drops the candidates chosen for some lines.
local function clear(lines)
  for _, line in ipairs(lines) do line.from = {} end
end

-- take_whole takes each line that location p can serve whole, in order, and counts them.
local function take_whole(lines, p)
  local served = 0
  for _, line in ipairs(lines) do
    local candidate = line.at[p]
    if candidate and units_at(line, candidate) >= line.quantity then
      take(line, candidate, line.quantity)
      served = served + 1
    end
  end
  return served
end

-- take_best takes lines from the location that serves the most of them whole, the first of equals.
-- It returns the lines that are left, or nil if no location serves any.
local function take_best(lines)
  local most, chosen = 0, nil
  local mark = journal
  for _, p in ipairs(candidate_locations(lines)) do
    local served = take_whole(lines, p)
    put_back(mark)
    clear(lines)
    if served > most then most, chosen = served, p end
    if most == #lines then break end
  end
  if not chosen then return nil end
  take_whole(lines, chosen)
  local left = {}
  for _, line in ipairs(lines) do
    if #line.from == 0 then left[#left + 1] = line end
  end
  return left
end

local function larger(a, b) return a > b end

-- fewest chooses the smallest number of amounts that reach need, and of such sets the first in the
-- order given. It returns their numbers. Each amount is positive, and their sum reaches need.
local function fewest(amounts, need)
  local sorted = { unpack(amounts) }
  table.sort(sorted, larger)
  local size, sum = 0, 0
  while sum < need do
    size = size + 1
    sum = sum + sorted[size]
  end
  local chosen = {}
  for i, units in ipairs(amounts) do
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

-- take_split takes one line from several candidates. If they do not have enough, it takes nothing
-- and returns the units that there are.
local function take_split(line)
  local some, amounts, sum = {}, {}, 0
  for _, candidate in ipairs(line.candidates) do
    local units = units_at(line, candidate)
    if units > 0 then
      some[#some + 1], amounts[#amounts + 1] = candidate, units
      sum = sum + units
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

-- largest returns the most units that one candidate of a line has.
local function largest(line)
  local most = 0
  for _, candidate in ipairs(line.candidates) do most = math.max(most, units_at(line, candidate)) end
  return most
end

-- shortages_at_best lists the shortages at the location that could serve the most units.
local function shortages_at_best(lines)
  local shortages, most = nil, -1
  for _, p in ipairs(candidate_locations(lines)) do
    local units, short, mark = 0, {}, journal
    for i, line in ipairs(lines) do
      local candidate = line.at[p]
      local there = candidate and math.max(0, units_at(line, candidate)) or 0
      units = units + math.min(there, line.quantity)
      if there >= line.quantity then
        take(line, candidate, line.quantity)
      else
        short[#short + 1] = int(i) .. US .. int(there)
      end
    end
    put_back(mark)
    clear(lines)
    if units > most then shortages, most = short, units end
  end
  return shortages
end

-- allocate_one takes a request's only line, and returns nil or its shortage.
local function allocate_one(line, way)
  for _, candidate in ipairs(line.candidates) do
    if units_at(line, candidate) >= line.quantity then
      take(line, candidate, line.quantity)
      return nil
    end
  end
  local there = largest(line)
  if way == 'units' then there = take_split(line) end
  return there and { '1' .. US .. int(there) }
end

-- allocate takes all lines and returns nil, or takes nothing and returns the shortages. The way is
-- "never" (all lines from one location), "lines" (each from one) or "units" (each from several).
local function allocate(lines, way)
  if #lines == 1 then return allocate_one(lines[1], way) end
  local left = take_best(lines)
  if left and #left == 0 then return nil end
  if way == 'never' then
    put_back(0)
    clear(lines)
    return shortages_at_best(lines)
  end
  while left and #left > 0 do left = take_best(left) end
  local short = {}
  for i, line in ipairs(lines) do
    if #line.from == 0 then
      local there = largest(line)
      if way == 'units' then there = take_split(line) end
      if there then short[#short + 1] = int(i) .. US .. int(there) end
    end
  end
  if #short == 0 then return nil end
  put_back(0)
  clear(lines)
  return short
end

-- attempt takes what the request at cursor asks for. It returns a refusal and its payload, or nil
-- and the lines.
local function attempt(shape)
  local lines, missing, bad = read_lines(cursor + 3, shape.count)
  if bad then return 'corrupt', bad end
  if #missing > 0 then return 'no_location', table.concat(missing, US) end
  local over, had = exceeded(shape)
  if over == 0 then return 'corrupt', 'limits' end
  if over then return 'purchase_limit', int(over) .. US .. int(had) end
  journal = 0
  local short = allocate(lines, shape.way)
  if short then return 'insufficient', table.concat(short, RS) end
  return nil, lines
end
