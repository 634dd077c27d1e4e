-- attempt reads and allocates the lines of a request. It stands in reserve, and uses its cursor. It
-- needs campaigns and allocation.

-- attempt takes what the request at cursor asks for, as choose allocates it. It returns a refusal
-- and its payload, or nil and the lines.
local function attempt(shape, choose)
  local lines, missing, bad = read_lines(cursor + 3, shape.count)
  if bad then return 'corrupt', bad end
  if #missing > 0 then return 'no_location', table.concat(missing, US) end
  local over, had = exceeded(shape)
  if over == 0 then return 'corrupt', 'limits' end
  if over then return 'purchase_limit', int(over) .. US .. int(had) end
  journal = 0
  local short = choose(lines, shape.way)
  if short then return 'insufficient', table.concat(short, RS) end
  return nil, lines
end
