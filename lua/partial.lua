-- partial reads the parts of a call that takes only some units of a reservation. It needs
-- attributes.

-- units_left returns the units of a line that are neither fulfilled nor released.
local function units_left(line)
  local units, from = 0, line.from
  for i = 1, #from do units = units + from[i].quantity - from[i].fulfilled end
  return units
end

-- lines_by_name lists the numbers of a record's lines by name. A kit has a line for each component.
local function lines_by_name(r)
  local numbers = {}
  for i, line in ipairs(r.lines) do
    local name = attributes(line).name
    local others = numbers[name]
    if others then
      others[#others + 1] = i
    else
      numbers[name] = { i }
    end
  end
  return numbers
end

-- read_parts reads a call's parts, count times line and quantity from list[at] on. It returns line
-- number -> units, and whether that is all that is left; or nil, nil, a refusal and its payload. A
-- call without parts asks for all that is left.
local function read_parts(r, list, at, count)
  local parts, remaining = {}, 0
  for i, line in ipairs(r.lines) do
    local left = units_left(line)
    remaining = remaining + left
    if count == 0 then parts[i] = left end
  end
  if count == 0 then return parts, true end
  local named = lines_by_name(r)
  for i = 1, count do
    local numbers, units = named[list[at + 2 * i - 2]], tonumber(list[at + 2 * i - 1])
    if not numbers then return nil, nil, 'unknown_line', int(i) end
    for _, number in ipairs(numbers) do
      local line = r.lines[number]
      local each = attributes(line).each
      local most = math.floor(units_left(line) / each)
      if units > most then return nil, nil, 'exceeds', int(i) .. US .. int(most) end
      parts[number] = units * each
      remaining = remaining - units * each
    end
  end
  return parts, remaining == 0
end
