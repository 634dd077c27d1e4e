-- allocation is put into reserve, into a function that is called for the first request that needs
-- it. It chooses the locations that serve a request's lines. It uses reserve's args, first_level
-- and location_of, and available and broken of the prelude.
--
-- A candidate of a line is a level. A candidate of a kit is a list of its components' levels. A
-- quantity of a kit is in kits. A line's from lists candidate, units, candidate, units, ….

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

-- units_at returns how many units of a line a candidate can serve.
local function units_at(line, candidate)
  if not line.each then return available[candidate] end
  local kits = nil
  for i, level in ipairs(candidate) do
    local some = math.floor(available[level] / line.each[i])
    kits = kits and math.min(kits, some) or some
  end
  return kits
end

-- candidate_location returns the location of a candidate, as location_of does.
local function candidate_location(line, candidate)
  return location_of(line.each and candidate[1] or candidate)
end

-- kit_candidate reads "1+5" into a list of levels. It returns nil if a level is missing, and a
-- broken level, if there is one.
local function kit_candidate(text)
  local levels, bad = {}, nil
  for number in string.gmatch(text, '%d+') do
    local level = args[first_level + number - 1]
    if broken[level] then bad = level end
    if not available[level] then return nil, bad end
    levels[#levels + 1] = level
  end
  return levels, bad
end

-- rank sorts a line's candidates from first on by their units, the most first. The sort is stable.
local function rank(line, first)
  local all = line.candidates
  for i = first + 1, #all do
    local candidate, j = all[i], i
    local units = units_at(line, candidate)
    while j > first and units_at(line, all[j - 1]) < units do
      all[j] = all[j - 1]
      j = j - 1
    end
    all[j] = candidate
  end
end

-- read_candidates lists a line's candidates that have all their levels, in routed order, and the
-- request's name of each. It returns a broken level, if there is one.
local function read_candidates(line, text)
  local bad, first = nil, 1
  for name, tied in string.gmatch(text, '([%d+]+)(=?)') do
    local candidate, wrong
    if line.each then
      candidate, wrong = kit_candidate(name)
    else
      local level = args[first_level + name - 1]
      candidate, wrong = available[level] and level, broken[level] and level
    end
    bad = bad or wrong
    if candidate then
      line.candidates[#line.candidates + 1] = candidate
      line.names[candidate] = name
    end
    if tied == '' then
      rank(line, first)
      first = #line.candidates + 1
    end
  end
  return bad
end

-- read_line reads the line at args[at], and returns a broken level, if there is one. The quantity
-- is "2", or for a kit "2 3 1".
local function read_line(at)
  local line = { text = args[at], quantity = tonumber(args[at + 1]), candidates = {}, names = {}, from = {} }
  if not line.quantity then
    local numbers = split(args[at + 1], ' ')
    line.quantity, line.each, line.texts = tonumber(numbers[1]), {}, split(line.text, RS)
    for i = 2, #numbers do line.each[i - 1] = tonumber(numbers[i]) end
  end
  return line, read_candidates(line, args[at + 2])
end

-- read_lines reads a request's lines from args[at] on. It returns them, the numbers of those
-- without a candidate, and a broken level, if there is one.
local function read_lines(at, count)
  local lines, missing, bad = {}, {}, nil
  for i = 1, count do
    local wrong
    lines[i], wrong = read_line(at + 3 * (i - 1))
    bad = bad or wrong
    if #lines[i].candidates == 0 then missing[#missing + 1] = int(i) end
  end
  return lines, missing, bad
end

-- candidate_locations lists the locations of the lines' candidates. They stand in the routed order
-- of the first line that names them. It also maps each line's locations to its candidates.
local function candidate_locations(lines)
  local list, seen = {}, {}
  for _, line in ipairs(lines) do
    if not line.at then
      line.at = {}
      for _, candidate in ipairs(line.candidates) do
        line.at[candidate_location(line, candidate)] = candidate
      end
    end
    for _, candidate in ipairs(line.candidates) do
      local p = candidate_location(line, candidate)
      if not seen[p] then
        seen[p] = true
        list[#list + 1] = p
      end
    end
  end
  return list
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

-- line_text returns a line as a record has it: its text and the allocations. A kit becomes a line
-- for each component.
local function line_text(line)
  local texts = {}
  for i, text in ipairs(line.texts or { line.text }) do
    for j = 1, #line.from, 2 do
      local units = line.from[j + 1] * (line.each and line.each[i] or 1)
      text = text .. candidate_location(line, line.from[j]) .. int(units) .. US .. '0'
    end
    texts[i] = text
  end
  return table.concat(texts, RS)
end
