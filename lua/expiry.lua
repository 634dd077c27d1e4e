-- expiry expires overdue reservations. It needs records, limits, attributes and plain.

local DUE_MEMBERS = 4 -- members of deadlines that one call takes
local LEVELS_MAX = 250 -- levels that a call may have read when it reclaims
local DUE_WORK = 256 -- it takes no further id after as many plain reservations, or half as many parts

-- give_back returns the units of a held record to sale.
local function give_back(r)
  for _, line in ipairs(r.lines) do
    for _, a in ipairs(line.from) do set_available(a.level, available[a.level] + a.quantity) end
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

-- take_due takes a bounded number of members of deadlines that are due, and returns their overdue
-- reservations: pairs of id and record. The ids of a member that it does not take wait again.
local function take_due(reservations_key, deadlines_key, now)
  local list = redis.call('ZRANGEBYSCORE', deadlines_key, '-inf', int(now), 'WITHSCORES', 'LIMIT', 0, DUE_MEMBERS + 1)
  local overdue, seen, left = {}, {}, DUE_WORK
  for m = 1, math.min(#list, 2 * DUE_MEMBERS), 2 do
    if left <= 0 then break end
    due[#due + 1] = list[m]
    local ids, unread = split(list[m], US), {}
    for _, id in ipairs(ids) do
      if records[id] == nil then add_once(unread, id) end
    end
    for i, id in ipairs(unread) do unread[id] = i end
    for _, id in ipairs(ids) do
      if records[id] == nil and left > 0 then
        read_records(reservations_key, unread, unread[id], math.min(unread[id] + IDS_PER_READ - 1, #unread))
      end
      if left <= 0 then
        add_deadline(tonumber(list[m + 1]), id)
      elseif not seen[id] then
        seen[id] = true
        local before = parts_decoded
        local r = read_plain(id)
        if r and string.find(r.line, FS, 1, true) then r = nil end -- a purchase limit may count it
        r = r or reservation(id)
        left = left - math.max(1, 2 * (parts_decoded - before))
        if r and (r.level or r.state == 'held') and r.expires <= now then overdue[#overdue + 1] = { id, r } end
      end
    end
  end
  more_due = left <= 0 or #list > 2 * #due
  return overdue
end

-- reclaim expires a bounded number of overdue reservations, and sets more_due. It returns how many
-- it expired, and how many it could not: their levels are missing or broken, for the audit to
-- report. A script calls it at most once. If the script has already read many levels, or large
-- reservations, reclaim only looks whether any are due: together it would be too much for one call.
local function reclaim(stock_key, reservations_key, deadlines_key, limits_key, clock_now, levels_read)
  reclaimed = true
  local now = math.min(clock_now, expire_until or clock_now)
  if parts_decoded > PARTS_PER_CALL / 2 or (levels_read or 0) > LEVELS_MAX then
    more_due = #redis.call('ZRANGEBYSCORE', deadlines_key, '-inf', int(now), 'LIMIT', 0, 1) > 0
    return 0, 0
  end
  local overdue = take_due(reservations_key, deadlines_key, now)
  local limited, levels = {}, {}
  for _, entry in ipairs(overdue) do
    local r = entry[2]
    if r.level then
      add_once(levels, r.level)
    else
      if is_limited(r) then limited[#limited + 1] = r end
      add_levels(r, levels)
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
