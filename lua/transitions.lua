-- transitions has the checks that the steps of a reservation share.

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
