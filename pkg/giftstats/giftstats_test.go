package giftstats_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

func TestQueryValidate(t *testing.T) {
	for _, test := range []struct {
		name            string
		roomID, account string
		want            string // part of the error text; empty if the query is valid
	}{
		{name: "sample of the API page", roomID: "room_id", account: "user1"},
		{name: "longest", roomID: strings.Repeat("r", 48), account: strings.Repeat("a", 32)},
		{name: "characters that some page allows", roomID: "a b@#é房", account: "user@example.com:1"},
		{name: "no room", account: "user1", want: "room_id is missing or empty; give 1 to 48 bytes"},
		{name: "no account", roomID: "r", want: "account is missing or empty; give 1 to 32 bytes"},
		{name: "room too long", roomID: strings.Repeat("r", 49), account: "a", want: "room_id has 49 bytes; at most 48 are allowed"},
		{name: "bytes count, not characters", roomID: strings.Repeat("房", 17), account: "a", want: "room_id has 51 bytes"},
		{name: "account too long", roomID: "r", account: strings.Repeat("a", 33), want: "account has 33 bytes; at most 32 are allowed"},
		{name: "control character", roomID: "a\nb", account: "a", want: "room_id contains the control character U+000A"},
		{name: "C1 control character", roomID: "r", account: "a\u0085", want: "account contains the control character U+0085"},
		{name: "not UTF-8", roomID: "r\xff", account: "a", want: "room_id is not valid UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := giftstats.Query{RoomID: test.roomID, Account: test.account}.Validate()
			if test.want == "" {
				if err != nil {
					t.Fatalf("Validate() = %v, want nil", err)
				}
				return
			}
			if !errors.Is(err, giftstats.CodeInvalidRequest) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Validate() = %v, want invalid_request with %q", err, test.want)
			}
		})
	}
}

func ExampleQuery_Validate() {
	fmt.Println(giftstats.Query{RoomID: "room_id"}.Validate())
	// Output: invalid_request: account is missing or empty; give 1 to 32 bytes
}
