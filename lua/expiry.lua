-- expiry is put into scripts that give back what is due. It needs records, limits, tags and plain before it.

local DUE_MEMBERS = 4 -- members of deadlines given back by one call

-- give_back returns to sale what a held record has.
local function give_back(r)
  for _, line in ipairs(r.lines) do
    for _, a in ipairs(line.from) do
      local level = line.sku .. US .. a.location
      change(level, available[level] + a.quantity)
    end
  end
  limits_of(r, nil, function(name, units) count_limit(name, -units) end)
end

-- expire gives back what a held record has, plain or not, and says so; it does not where a level is gone or
-- broken.
local function expire(id, r)
  if r.lines then
    if lacking(r, available) then return false end
    give_back(r)
    move('expire', id, r, 'expired', '')
  else
    if not available[r.level] then return false end
    change(r.level, available[r.level] + r.units)
    step_plain('expire', id, r, 'expired', '')
  end
  return true
end

-- reclaim gives back what is due, a bounded number of members of deadlines. It returns how many
-- reservations it expired, how many it could not (their levels are gone or broken: the audit's
-- business), and whether more is due.
local function reclaim(stock_key, reservations_key, deadlines_key, limits_key, clock_now)
  local now = math.min(clock_now, expire_until or clock_now)
  due = redis.call('ZRANGEBYSCORE', deadlines_key, '-inf', int(now), 'LIMIT', 0, DUE_MEMBERS + 1)
  local more = #due > DUE_MEMBERS
  if more then due[#due] = nil end
  local ids, unread, seen = {}, {}, {}
  for _, member in ipairs(due) do
    for _, id in ipairs(split(member, US)) do
      if not seen[id] then
        seen[id] = true
        ids[#ids + 1] = id
        if records[id] == nil then unread[#unread + 1] = id end
      end
    end
  end
  read_records(reservations_key, unread, 1, #unread)
  local overdue, limited, levels, listed = {}, {}, {}, {}
  for _, id in ipairs(ids) do
    local r = plain(id)
    if r and string.find(r.line, FS, 1, true) then r = nil end -- it may be limited
    if r and r.expires <= now then
      overdue[#overdue + 1] = { id, r }
      if available[r.level] == nil and not listed[r.level] then
        listed[r.level] = true
        levels[#levels + 1] = r.level
      end
    elseif not r then
      r = reservation(id)
      if r and r.state == 'held' and r.expires <= now then
        overdue[#overdue + 1] = { id, r }
        if is_limited(r) then limited[#limited + 1] = r end
        levels_of(r, levels, listed)
      end
    end
  end
  fields(stock_key, levels, 1, #levels, take_available)
  read_limits(limits_key, limited)
  local expired, skipped = 0, 0
  for _, entry in ipairs(overdue) do
    if expire(entry[1], entry[2]) then
      expired = expired + 1
    else
      skipped = skipped + 1
    end
  end
  return expired, skipped, more
end
