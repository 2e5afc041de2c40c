package lambdaruntime

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// account is the AWS account of every simulated function.
const account = "123456789012"

// api is the Runtime API as the function sees it.
func (r *Runtime) api() http.Handler {
	var first sync.Once
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, request *http.Request) {
		first.Do(func() { r.ready <- time.Now() })
		r.next(w, request)
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, request *http.Request) {
		r.take(w, request, func(body []byte) Reply { return Reply{Payload: body} })
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", func(w http.ResponseWriter, request *http.Request) {
		r.take(w, request, func(body []byte) Reply { return failure(body, request.Header) })
	})
	return mux
}

// next waits for an invocation and hands it out.
func (r *Runtime) next(w http.ResponseWriter, request *http.Request) {
	var i *invocation
	select {
	case i = <-r.queue:
	case <-request.Context().Done():
		return
	}
	r.mu.Lock()
	r.running[i.id] = i
	r.mu.Unlock()
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Lambda-Runtime-Aws-Request-Id", i.id)
	header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(r.config.Timeout).UnixMilli(), 10))
	header.Set("Lambda-Runtime-Invoked-Function-Arn", fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", r.config.Region, account, r.config.Name))
	header.Set("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000"+i.id[len(i.id)-12:]+";Parent=0000000000000000;Sampled=0")
	w.Write(i.payload) // if the function has ended, Invoke learns it from the process
}

// take keeps the reply to an invocation. A second reply to the same invocation is refused.
func (r *Runtime) take(w http.ResponseWriter, request *http.Request, read func(body []byte) Reply) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // the function has ended
	}
	id := request.PathValue("id")
	w.Header().Set("Content-Type", "application/json")
	r.mu.Lock()
	defer r.mu.Unlock()
	i, ok := r.running[id]
	if !ok {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"errorMessage":"invocation %s is not running","errorType":"InvalidRequestID"}`, id)
		return
	}
	delete(r.running, id)
	reply := read(body)
	reply.RequestID = id
	r.replies = append(r.replies, reply)
	i.reply <- reply
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, `{"status":"OK"}`)
}

// failure decodes an error as functions report it.
func failure(body []byte, header http.Header) Reply {
	var e struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}
	if json.Unmarshal(body, &e) != nil {
		e.Message = string(body)
	}
	kind := cmp.Or(e.Type, header.Get("Lambda-Runtime-Function-Error-Type"), "Unknown")
	return Reply{Payload: body, ErrorType: kind, ErrorMessage: e.Message}
}
