-- attempt reads and allocates the lines of a request. It stands in reserve, and uses its cursor. It
-- needs campaigns and allocation.

-- attempt takes what the request at cursor asks for. It returns a refusal and its payload, or nil and
-- nil; and the lines, nil if they were not tried.
local function attempt(shape)
  local lines, missing, bad = read_lines(cursor + 3, shape.count)
  if bad then return 'corrupt', bad end
  if #missing > 0 then return 'no_location', table.concat(missing, US) end
  local over, had = exceeded(shape)
  if over == 0 then return 'corrupt', 'limits' end
  if over then return 'purchase_limit', int(over) .. US .. int(had) end
  journal = 0
  local short = allocate(lines, shape.way)
  if short then return 'insufficient', table.concat(short, RS), lines end
  return nil, nil, lines
end

-- attempt_backordered takes the lines of an attempt that was short, and backorders those that may be.
-- It returns a refusal and its payload, or nil.
local function attempt_backordered(lines, shape)
  for _, line in ipairs(lines) do line.from, line.taken = {}, nil end
  journal = 0
  local short = allocate_backordered(lines, shape.way)
  if short then return 'insufficient', table.concat(short, RS) end
  return nil
end
