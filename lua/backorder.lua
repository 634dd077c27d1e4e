-- backorder takes lines that may be backordered: what is available, and the rest although it is not.
-- It stands in reserve, after allocation.

-- may_be_backordered reports whether a line of a request may be.
local function may_be_backordered(line)
  return attributes({ line = string.match(line.text, '^[^\31]*') }).backorder
end

-- take_backordered takes one line: what is available, and the rest from the first candidate. If the
-- line may not be split, the candidate that has the most of it serves it, the first of equals.
local function take_backordered(line, way)
  local units, first, most, rest = {}, 1, 0, line.quantity
  for number, some in ipairs(units_at_all(line, 1)) do
    if way == 'units' then
      units[number] = math.min(math.max(0, some), rest)
      rest = rest - units[number]
    elseif some > most then
      first, most = number, some
    end
  end
  units[first] = (units[first] or 0) + rest
  for number = 1, #line.candidates do
    if (units[number] or 0) > 0 then take(line, number, units[number]) end
  end
end

-- take_together takes all lines from one location. Of the locations that have all plain lines, which
-- are the first of the list, it chooses the one that has the most units. If there is none, it
-- returns the shortages.
local function take_together(lines, plain)
  local places, best = places_of(lines), nil
  for _, place in ipairs(places) do
    survey(place)
    local serves = place.n == #lines and (not best or place.sum > best.sum)
    for i = 1, plain do serves = serves and place.serves[lines[i]] end
    if serves then best = place end
  end
  if not best then return shortages_at_best(lines, places) end
  for n, line in ipairs(best.lines) do take(line, best.numbers[n], line.quantity) end
  return nil
end

-- allocate_backordered is allocate for a request with lines that may be backordered. It serves plain
-- lines first. They alone can be short.
local function allocate_backordered(lines, way)
  local plain, late, sorted = {}, {}, {}
  for _, line in ipairs(lines) do
    local list = may_be_backordered(line) and late or plain
    list[#list + 1] = line
  end
  if way == 'never' and #lines > 1 then
    for _, line in ipairs(plain) do sorted[#sorted + 1] = line end
    for _, line in ipairs(late) do sorted[#sorted + 1] = line end
    return take_together(sorted, #plain)
  end
  local short = #plain > 0 and allocate(plain, way)
  if short then return short end
  local places = places_of(late)
  for _, place in ipairs(places) do survey(place) end
  serve(places)
  for _, line in ipairs(late) do
    if not line.taken and shortage(line, way) then take_backordered(line, way) end
  end
  return nil
end
