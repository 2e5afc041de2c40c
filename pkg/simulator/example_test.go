package simulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator"
)

func ExampleNew() {
	_, err := simulator.New(simulator.Config{SDKAppID: 1400000000, Admin: "administrator"})
	fmt.Println(err)
	// Output: simulator: SDKAppID, Admin and SecretKey are required
}

func ExampleEngine_ServeHTTP() {
	engine, err := simulator.New(simulator.Config{
		SDKAppID: appID, Admin: admin, SecretKey: key, Limits: map[string]int{}, Now: func() time.Time { return start },
	})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(engine)
	defer server.Close()
	// sign stands for a signer such as github.com/tencentyun/tls-sig-api-v2-golang.
	query := "sdkappid=1400000000&identifier=administrator&usersig=" + sign(key, nil) + "&random=1&contenttype=json"
	for _, call := range []string{
		`create_room {"RoomInfo":{"RoomId":"room_id","RoomType":"Live","Owner_Account":"user1"}}`,
		`send_gift {"RoomId":"room_id","GiftId":"rose","Count":1,"From_Account":"fan1","ReceiverList_Account":["user1"]}`,
		`get_gift_count {"RoomId":"room_id","From_Account":"user1"}`,
	} {
		command, body, _ := strings.Cut(call, " ")
		response, err := http.Post(server.URL+"/v4/live_engine_http_srv/"+command+"?"+query, "application/json", strings.NewReader(body))
		if err != nil {
			panic(err)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		_, data, _ := strings.Cut(string(text), `"Response":`)
		fmt.Printf("%s %d:%s\n", command, response.StatusCode, data)
	}
	// Output:
	// create_room 200:
	// send_gift 200:
	// get_gift_count 200:{"Sequence":1,"TotalCount":1,"TotalCoins":1,"GiftSenderCount":1}}
}

func ExampleEngine_Misbehave() {
	engine, err := simulator.New(simulator.Config{SDKAppID: appID, Admin: admin, SecretKey: key})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(engine)
	defer server.Close()
	engine.Misbehave(simulator.Fault{Command: "get_gift_count", Status: 503, Header: http.Header{"Retry-After": {"2"}}})
	for range 2 {
		response, err := http.Post(server.URL+"/v4/live_engine_http_srv/get_gift_count", "application/json", strings.NewReader("{}"))
		if err != nil {
			panic(err)
		}
		response.Body.Close()
		fmt.Printf("%d %q\n", response.StatusCode, response.Header["Retry-After"])
	}
	fmt.Println(engine.Count("get_gift_count"), "calls, the last one refused with", engine.Calls()[1].Code)
	// Output:
	// 503 ["2"]
	// 200 []
	// 2 calls, the last one refused with 60012
}
