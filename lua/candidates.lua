-- candidates reads the lines of a request that is not plain, and their candidates. It stands in
-- reserve, and uses its args, first_level and location_of.
--
-- A candidate of a line is a level. A candidate of a kit is a list of its components' levels, and a
-- quantity of a kit is in kits. A line's from lists candidate, units, candidate, units, ….

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
  local list = {}
  for _, line in ipairs(lines) do
    if not line.at then
      line.at = {}
      for _, candidate in ipairs(line.candidates) do
        line.at[candidate_location(line, candidate)] = candidate
      end
    end
    for _, candidate in ipairs(line.candidates) do add_once(list, candidate_location(line, candidate)) end
  end
  return list
end

-- line_text returns a line as a record has it: its text and its allocations. A kit becomes a line
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

-- texts_of returns the tail of a record with these lines, and the payload of the answer.
local function texts_of(lines)
  local tail, answer = '', {}
  for i, line in ipairs(lines) do
    local names = {}
    for j = 1, #line.from, 2 do
      names[j], names[j + 1] = line.names[line.from[j]], int(line.from[j + 1])
    end
    tail, answer[i] = tail .. RS .. line_text(line), table.concat(names, US)
  end
  return tail, table.concat(answer, RS)
end
