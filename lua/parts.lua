-- parts is put into scripts that take part of a reservation. It needs tags before it.

-- left is the units of a line that are neither fulfilled nor given back.
local function left(line)
  local units = 0
  for _, a in ipairs(line.from) do units = units + a.quantity - a.fulfilled end
  return units
end

-- lines_named lists the numbers of a record's lines of each name: a kit has one for each component.
local function lines_named(r)
  local numbers = {}
  for i, line in ipairs(r.lines) do
    local name = tags(line).name
    numbers[name] = numbers[name] or {}
    table.insert(numbers[name], i)
  end
  return numbers
end

-- parts_of reads the parts of a partial call, count times line and quantity from list[at] on, into
-- line number -> units. Without any it is all that is left. It returns also whether that is
-- everything, or a refusal and its payload in place of both.
local function parts_of(r, list, at, count)
  local parts, remaining = {}, 0
  for i, line in ipairs(r.lines) do
    remaining = remaining + left(line)
    if count == 0 then parts[i] = left(line) end
  end
  if count == 0 then return parts, true end
  local named = lines_named(r)
  for i = 1, count do
    local numbers, units = named[list[at + 2 * i - 2]], tonumber(list[at + 2 * i - 1])
    if not numbers then return nil, nil, 'unknown_line', int(i) end
    for _, number in ipairs(numbers) do
      local line = r.lines[number]
      local each = tags(line).each
      local most = math.floor(left(line) / each)
      if units > most then return nil, nil, 'exceeds', int(i) .. US .. int(most) end
      parts[number] = units * each
      remaining = remaining - units * each
    end
  end
  return parts, remaining == 0
end
