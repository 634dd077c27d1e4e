package demo

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Prefix is the beginning of every key of a sale; nothing else uses it.
const Prefix = "holdfast-demo"

// tag puts all keys of a sale into one hash slot, as the Store does.
const tag = "{" + Prefix + ":0}:"

// claimKey says that a sale is on, so that two never share their keys.
const claimKey = tag + "demo"

// storeKeys are the keys that a Store makes; a test finds out where one is missing.
var storeKeys = []string{
	tag + "stock", tag + "levels", tag + "reservations", tag + "operations",
	tag + "deadlines", tag + "limits", tag + "events",
}

// InUseError says that there is data of another sale.
type InUseError struct{ Keys int64 }

func (e *InUseError) Error() string {
	return fmt.Sprintf("this Redis holds data of another demo (%d keys, %s*): it is under way, or it was "+
		"killed before it could clean up. In the second case remove them:\n  redis-cli del '%s' '%s'",
		e.Keys, tag, claimKey, strings.Join(storeKeys, "' '"))
}

// claim takes the prefix, or refuses with an InUseError and leaves everything as it was.
func claim(ctx context.Context, client redis.UniversalClient) error {
	free, err := client.SetNX(ctx, claimKey, "1", 0).Result()
	if err != nil {
		return fmt.Errorf("claim the prefix: %w", err)
	}
	others, err := client.Exists(ctx, storeKeys...).Result()
	switch {
	case err == nil && free && others == 0:
		return nil
	case err == nil && !free:
		return &InUseError{Keys: others + 1}
	case err == nil:
		err = &InUseError{Keys: others}
	default:
		err = fmt.Errorf("look for data of another sale: %w", err)
	}
	if free {
		if e := client.Del(ctx, claimKey).Err(); e != nil {
			return fmt.Errorf("%w (and the claim is left behind: %w)", err, e)
		}
	}
	return err
}

// unclaim removes every key of the sale.
func unclaim(ctx context.Context, client redis.UniversalClient) error {
	if err := client.Unlink(ctx, append([]string{claimKey}, storeKeys...)...).Err(); err != nil {
		return fmt.Errorf("remove the keys that begin with %s: %w", tag, err)
	}
	return nil
}
