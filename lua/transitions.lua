-- transitions has the checks that the steps of a reservation share. It needs records.

-- of_reservation returns decide for answer_each. It finds the reservation of an id, and gives
-- decide the id, the reservation and the other arguments.
local function of_reservation(decide)
  return function(id, ...)
    if not records[id] then return 'not_found', '' end
    local r = reservation(id)
    if not r then return 'corrupt', id end
    if r.transition == CONFLICT then return 'conflict', '' end
    return decide(id, r, ...)
  end
end

-- is_repeat reports whether a whole transition was already made: the reservation is in the wanted
-- state, and its version is not below the caller's.
local function is_repeat(r, state, version)
  return r.state == state and (version == '' or tonumber(version) <= r.version)
end

-- is_unsettled reports whether the ledger has yet to decide the last step of a confirmed
-- reservation. Until then no step may follow.
local function is_unsettled(r, settled)
  return r.state == 'confirmed' and settled ~= '*' and settled ~= int(r.version)
end
