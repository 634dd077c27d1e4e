package cache

// state is where a reservation stands.
type state string

// The states of a reservation, as records have them.
const (
	stateHeld      state = "held"
	stateConfirmed state = "confirmed"
	stateFulfilled state = "fulfilled"
	stateReleased  state = "released"
	stateExpired   state = "expired"
)
