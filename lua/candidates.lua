-- candidates reads the lines of a request that is not plain, and their candidates. It stands in
-- reserve, and uses its args, first_level and location_of.
--
-- A candidate of a line is a level. A candidate of a kit is a list of its components' levels, and a
-- quantity of a kit is in kits. A line's from lists number of a candidate, units, number, units, ….

-- units_at returns how many units of a line a candidate can serve of those that units has,
-- level -> units.
local function units_at(line, candidate, units)
  if not line.each then return units[candidate] end
  local kits = nil
  for i, level in ipairs(candidate) do
    local some = math.floor(units[level] / line.each[i])
    kits = kits and math.min(kits, some) or some
  end
  return kits
end

-- units_at_all returns the units of a line at each of its candidates from first on.
local function units_at_all(line, first)
  local list = {}
  for i = first, #line.candidates do list[i - first + 1] = units_at(line, line.candidates[i], available) end
  return list
end

-- candidate_location returns the location of a candidate, as location_of does.
local function candidate_location(line, candidate)
  return location_of(line.each and candidate[1] or candidate)
end

-- descending returns the numbers of some units, the most first, and of equals the first. It sorts
-- numbers: to sort with a function takes five times as long.
local UNITS_MAX = 1e12
local function descending(units)
  local keys, order, n = {}, {}, #units
  for i, some in ipairs(units) do
    keys[i] = math.max(-UNITS_MAX, math.min(UNITS_MAX, some)) * n + n - i
  end
  table.sort(keys)
  for i = 1, n do order[i] = n - keys[n + 1 - i] % n end
  return order
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
  local candidates, names = {}, {}
  for i, number in ipairs(descending(units_at_all(line, first))) do
    candidates[i], names[i] = line.candidates[first + number - 1], line.names[first + number - 1]
  end
  for i, candidate in ipairs(candidates) do
    line.candidates[first + i - 1], line.names[first + i - 1] = candidate, names[i]
  end
end

-- read_candidates lists a line's candidates that have all their levels, in routed order, and the
-- request's name of each, a text or a number. It returns a broken level, if there is one.
local function read_candidates(line, text)
  local bad, first, last = nil, 1, 0
  local from, to = string.match(text, '^(%d+)%-(%d+)$')
  if from then
    local candidates, names = line.candidates, line.names
    for number = tonumber(from), tonumber(to) do
      local level = args[first_level + number - 1]
      if available[level] then
        last = last + 1
        candidates[last], names[last] = level, number
      elseif broken[level] then
        bad = bad or level
      end
    end
    return bad
  end
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
      last = last + 1
      line.candidates[last], line.names[last] = candidate, name
    end
    if tied == '' then
      if last > first then rank(line, first) end
      first = last + 1
    end
  end
  return bad
end

-- read_line reads the line at args[at], and returns a broken level, if there is one. The quantity
-- is "2", or for a kit "2 3 1". Its lists have room for some entries: to grow them takes longer than
-- all else.
local function read_line(at)
  local line = {
    text = args[at], quantity = tonumber(args[at + 1]), candidates = { nil, nil, nil, nil }, names = { nil, nil, nil, nil },
    from = { nil, nil },
  }
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
    lines[i].number = i
    bad = bad or wrong
    if #lines[i].candidates == 0 then missing[#missing + 1] = int(i) end
  end
  return lines, missing, bad
end

-- line_text returns a line as a record has it: its text and its allocations. A kit becomes a line
-- for each component.
local function line_text(line)
  local number, more = line.from[1], line.from[3]
  if not line.each and number and not more then -- most lines
    local level = line.candidates[number]
    return line.text .. string.sub(level, string.find(level, US, 1, true), -1) .. US .. int(line.from[2]) .. US .. '0'
  end
  local texts = {}
  for i, text in ipairs(line.texts or { line.text }) do
    texts[#texts + 1] = i > 1 and RS .. text or text
    for j = 1, #line.from, 2 do
      local units = line.from[j + 1] * (line.each and line.each[i] or 1)
      texts[#texts + 1] = candidate_location(line, line.candidates[line.from[j]]) .. int(units) .. US .. '0'
    end
  end
  return table.concat(texts)
end

-- texts_of returns the tail of a record with these lines, and the payload of the answer.
local function texts_of(lines)
  local tail, answer = {}, {}
  for i, line in ipairs(lines) do
    local from, names = line.from, {}
    if from[1] and not from[3] then -- one candidate serves the whole line
      answer[i] = line.names[from[1]] .. ''
    else
      for j = 1, #from, 2 do
        names[j], names[j + 1] = line.names[from[j]], int(from[j + 1])
      end
      answer[i] = table.concat(names, US)
    end
    tail[i] = RS .. line_text(line)
  end
  return table.concat(tail), table.concat(answer, RS)
end
