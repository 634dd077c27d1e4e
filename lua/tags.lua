-- tags is put into scripts that look at what a line's name carries: kits and purchase limits.

-- tags reads the tags of a line: its name, the kit it is a component of (nil where it is none), how many
-- units go into one kit (then 1), and its limits, each as id, most and each.
local function tags(line)
  local t = line.tags
  if t then return t end
  local parts = split(line.line, FS)
  t = { name = parts[1], kit = parts[2] ~= '' and parts[2] or nil, each = whole(parts[3] or '') or 1, limits = {} }
  for i = 4, #parts do
    local most, each, id = string.match(parts[i], '^(%d+) (%d+) (.*)$')
    if id then t.limits[#t.limits + 1] = { id = id, most = tonumber(most), each = tonumber(each) } end
  end
  line.tags = t
  return t
end

-- is_limited says whether a record has a line that a purchase limit counts. Most have none, and no tags.
local function is_limited(r)
  for _, line in ipairs(r.lines) do
    if string.find(line.line, FS, 1, true) and #tags(line).limits > 0 then return true end
  end
  return false
end

-- limits_of calls visit with the counter and the units, and what a customer may have, of each limit
-- that counts a record: all of it, or for each number of a line the units in parts.
local function limits_of(r, parts, visit)
  if not is_limited(r) then return end
  local customer = split(r.fixed, US)[3]
  for i, line in ipairs(r.lines) do
    local units = 0
    if parts then
      units = parts[i] or 0
    else
      for _, a in ipairs(line.from) do units = units + a.quantity end
    end
    for _, limit in ipairs(tags(line).limits) do
      visit(limit.id .. US .. customer, units / limit.each, limit.most, limit.id)
    end
  end
end

-- read_limits reads the counters of the limits of some records.
local function read_limits(key, list)
  local names, listed = {}, {}
  for _, r in ipairs(list) do
    limits_of(r, nil, function(name)
      if taken[name] == nil and not listed[name] then
        listed[name] = true
        names[#names + 1] = name
      end
    end)
  end
  fields(key, names, 1, #names, take_taken)
end
