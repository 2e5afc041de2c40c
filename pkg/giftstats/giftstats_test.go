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
		name  string
		query giftstats.Query
		want  string // part of the error's text; "" for none
	}{
		{"sample of the API page", giftstats.Query{RoomID: "room_id", Account: "user1"}, ""},
		{"longest", giftstats.Query{RoomID: strings.Repeat("r", 48), Account: strings.Repeat("a", 32)}, ""},
		{"characters that some page allows", giftstats.Query{RoomID: "a b@#é房", Account: "user@example.com:1"}, ""},
		{"no room", giftstats.Query{Account: "user1"}, "room_id is missing or empty; give 1 to 48 bytes"},
		{"no account", giftstats.Query{RoomID: "r"}, "account is missing or empty; give 1 to 32 bytes"},
		{"room too long", giftstats.Query{RoomID: strings.Repeat("r", 49), Account: "a"}, "room_id has 49 bytes; at most 48 are allowed"},
		{"bytes count, not characters", giftstats.Query{RoomID: strings.Repeat("房", 17), Account: "a"}, "room_id has 51 bytes"},
		{"account too long", giftstats.Query{RoomID: "r", Account: strings.Repeat("a", 33)}, "account has 33 bytes; at most 32 are allowed"},
		{"control character", giftstats.Query{RoomID: "a\nb", Account: "a"}, "room_id contains the control character U+000A"},
		{"C1 control character", giftstats.Query{RoomID: "r", Account: "a\u0085"}, "account contains the control character U+0085"},
		{"not UTF-8", giftstats.Query{RoomID: "r\xff", Account: "a"}, "room_id is not valid UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.query.Validate()
			if test.want == "" {
				if err != nil {
					t.Fatalf("Validate() = %v, want none", err)
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
