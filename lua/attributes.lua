-- attributes reads what the name of a line carries: its kit, its purchase limits and its flags. It
-- needs limits.

-- attributes returns the attributes of a line: its name; its kit, or nil; how many units go into
-- one kit, 1 if there is none; its limits, each with id, most and each, the identity whose units it
-- counts (nil is the reservation's customer, "" all customers), and whether a return frees it; and its
-- flags, by name.
local NO_LIMITS = {}
local function attributes(line)
  local t = line.attributes
  if t then return t end
  if not string.find(line.line, FS, 1, true) then -- most lines have none
    t = { name = line.line, each = 1, limits = NO_LIMITS }
    line.attributes = t
    return t
  end
  local parts = split(line.line, FS)
  t = { name = parts[1], kit = parts[2] ~= '' and parts[2] or nil, each = whole(parts[3] or '') or 1, limits = {} }
  for i = 4, #parts do
    local most, each, frees, id, escape, identity = string.match(parts[i], '^(%d+) (%d+) (\27?)([^\27]*)(\27?)(.*)$')
    if id then
      t.limits[#t.limits + 1] = {
        id = id, most = tonumber(most), each = tonumber(each), identity = escape ~= '' and identity or nil,
        frees_on_return = frees ~= '',
      }
    end
    if parts[i] == 'backorder' then t.backorder = true end
  end
  line.attributes = t
  return t
end

-- set_identities sets the identities that the limits of a line count beside the customer. Each limit
-- stands once for the customer and once for each identity.
local function set_identities(line, identities)
  local parts = {}
  for i, part in ipairs(split(line.line, FS)) do
    local limit, identity = string.match(part, '^(%d+ %d+ \27?[^\27]*)\27?(.*)$')
    local is_limit = i > 3 and limit ~= nil
    if not is_limit or identity == '' then parts[#parts + 1] = part end
    if is_limit and limit == part then
      for _, one in ipairs(identities) do parts[#parts + 1] = limit .. '\27' .. one end
    end
  end
  line.line, line.attributes = table.concat(parts, FS), nil
end

-- is_limited reports whether a purchase limit counts any line of a record. Most lines have no
-- attributes.
local function is_limited(r)
  if r.body and not string.find(r.body, FS, 1, true) then return false end
  for _, line in ipairs(r.lines) do
    if string.find(line.line, FS, 1, true) and #attributes(line).limits > 0 then return true end
  end
  return false
end

-- each_limit calls visit with counter, units, most units and id of each limit that counts a record.
-- The units are those of the whole record, or those of parts, line number -> units. If returned,
-- only the limits that a return frees are visited. A limit counts each identity once, also if the
-- customer is one of them.
local function each_limit(r, parts, visit, returned)
  if not is_limited(r) then return end
  local customer = split(r.fixed, US)[3]
  local known = customer ~= '' and customer or nil
  for i, line in ipairs(r.lines) do
    local units = 0
    if parts then
      units = parts[i] or 0
    else
      for _, a in ipairs(line.from) do units = units + a.quantity end
    end
    for _, limit in ipairs(attributes(line).limits) do
      local identity = limit.identity
      if (identity == '' or identity ~= known) and (not returned or limit.frees_on_return) then
        visit(limit.id .. US .. (identity or customer), units / limit.each, limit.most, limit.id)
      end
    end
  end
end

-- each_count calls visit as each_limit does, with what the limits count of a record in its state:
-- all units while it is held, confirmed or fulfilled, else those that have left. A limit that a
-- return frees does not count the units that came back.
local function each_count(r, visit)
  local units, returned = {}, {}
  for i, line in ipairs(r.lines) do
    units[i], returned[i] = 0, -line.returned
    for _, a in ipairs(line.from) do
      units[i] = units[i] + ((r.state == 'released' or r.state == 'expired') and a.fulfilled or a.quantity)
    end
  end
  each_limit(r, units, visit)
  each_limit(r, returned, visit, true)
end

-- read_limits reads the counters of the limits that count some records.
local function read_limits(key, list)
  local names = {}
  for _, r in ipairs(list) do
    each_limit(r, nil, function(name)
      if limit_units[name] == nil then add_once(names, name) end
    end)
  end
  read_fields(key, names, 1, #names, load_limit)
end
