package demo

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Prefix begins every key of a sale. Nothing else uses it.
const Prefix = "holdfast-demo"

// tag puts all keys of a sale in one hash slot, as the Store does.
const tag = "{" + Prefix + ":0}:"

// claimKey exists during a sale, so that two sales never share keys.
const claimKey = tag + "demo"

// storeKeys are the keys that a Store creates. A test fails if one is missing here.
var storeKeys = []string{
	tag + "stock", tag + "levels", tag + "reservations", tag + "operations",
	tag + "deadlines", tag + "limits", tag + "events",
}

// InUseError reports that the keys already hold data of a sale.
type InUseError struct{ Keys int64 }

func (e *InUseError) Error() string {
	return fmt.Sprintf("this Redis has data of another demo (%d keys, %s*): wait until it ends, or, "+
		"if it was killed, remove the keys:\n  redis-cli del '%s' '%s'",
		e.Keys, tag, claimKey, strings.Join(storeKeys, "' '"))
}

// claim reserves the prefix. If it returns an *InUseError, it has changed nothing.
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
		err = fmt.Errorf("check for data of another sale: %w", err)
	}
	if free {
		if e := client.Del(ctx, claimKey).Err(); e != nil {
			return fmt.Errorf("%w (and the key of the claim remains: %w)", err, e)
		}
	}
	return err
}

// unclaim removes all keys of the sale.
func unclaim(ctx context.Context, client redis.UniversalClient) error {
	if err := client.Unlink(ctx, append([]string{claimKey}, storeKeys...)...).Err(); err != nil {
		return fmt.Errorf("remove the keys that begin with %s: %w", tag, err)
	}
	return nil
}
