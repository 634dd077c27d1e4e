package redistest

import "testing"

func TestUsedCPU(t *testing.T) {
	EachEngine(t, func(t *testing.T, e Engine) {
		before, err := UsedCPU(t.Context(), e.Client)
		if !e.Real {
			if err == nil {
				t.Errorf("miniredis reports %v", before)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		// Some 10 ms of work.
		spin := "for i = 1, 1000000 do local _ = i * i end return 1"
		if err := e.Client.Eval(t.Context(), spin, []string{"key"}).Err(); err != nil {
			t.Fatal(err)
		}
		after, err := UsedCPU(t.Context(), e.Client)
		if err != nil || after <= before {
			t.Errorf("used %v after work, %v before, %v", after, before, err)
		}
	})
}
