-- expiry expires overdue reservations. It needs records, limits, attributes and plain.

local DUE_MEMBERS = 4 -- members of deadlines that one call takes

-- give_back returns the units of a held record to sale.
local function give_back(r)
  for _, line in ipairs(r.lines) do
    for _, a in ipairs(line.from) do
      local level = line.sku .. US .. a.location
      set_available(level, available[level] + a.quantity)
    end
  end
  each_limit(r, nil, function(name, units) add_to_limit(name, -units) end)
end

-- expire expires a held record, plain or not. It returns false, and changes nothing, if one of the
-- record's levels is missing or broken.
local function expire(id, r)
  if r.lines then
    if missing_level(r, available) then return false end
    give_back(r)
    step('expire', id, r, 'expired', '')
  else
    if not available[r.level] then return false end
    set_available(r.level, available[r.level] + r.units)
    step_plain('expire', id, r, 'expired', '')
  end
  return true
end

-- reclaim expires a bounded number of overdue reservations, and sets more_due. It returns how many
-- it expired, and how many it could not: their levels are missing or broken, for the audit to
-- report. A script calls it at most once.
local function reclaim(stock_key, reservations_key, deadlines_key, limits_key, clock_now)
  reclaimed = true
  local now = math.min(clock_now, expire_until or clock_now)
  due = redis.call('ZRANGEBYSCORE', deadlines_key, '-inf', int(now), 'LIMIT', 0, DUE_MEMBERS + 1)
  more_due = #due > DUE_MEMBERS
  if more_due then due[#due] = nil end
  local ids, unread = {}, {}
  for _, member in ipairs(due) do
    for _, id in ipairs(split(member, US)) do
      add_once(ids, id)
      if records[id] == nil then add_once(unread, id) end
    end
  end
  read_records(reservations_key, unread, 1, #unread)
  local overdue, limited, levels = {}, {}, {}
  for _, id in ipairs(ids) do
    local r = read_plain(id)
    if r and string.find(r.line, FS, 1, true) then r = nil end -- a purchase limit may count it
    if r and r.expires <= now then
      overdue[#overdue + 1] = { id, r }
      add_once(levels, r.level)
    elseif not r then
      r = reservation(id)
      if r and r.state == 'held' and r.expires <= now then
        overdue[#overdue + 1] = { id, r }
        if is_limited(r) then limited[#limited + 1] = r end
        add_levels(r, levels)
      end
    end
  end
  read_fields(stock_key, levels, 1, #levels, function(level, text)
    if available[level] == nil then load_available(level, text) end
  end)
  read_limits(limits_key, limited)
  local expired, skipped = 0, 0
  for _, entry in ipairs(overdue) do
    if expire(entry[1], entry[2]) then
      expired = expired + 1
    else
      skipped = skipped + 1
    end
  end
  return expired, skipped
end
