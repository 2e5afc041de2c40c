package giftstats

// Problem is a failure as callers see it: RFC 9457 with the members code, retryable, request_id and upstream.
type Problem struct {
	Type      string    `json:"type"`
	Title     string    `json:"title"`
	Status    int       `json:"status"`
	Detail    string    `json:"detail"`
	Code      Code      `json:"code"`
	Retryable bool      `json:"retryable"`
	RequestID string    `json:"request_id,omitempty"`
	Upstream  *Upstream `json:"upstream,omitempty"`
}

// ProblemOf describes err to the caller of the request with the given id.
func ProblemOf(err error, requestID string) Problem {
	e := AsError(err)
	return Problem{
		Type:      "about:blank",
		Title:     e.Code.Title(),
		Status:    e.Code.Status(),
		Detail:    e.Detail,
		Code:      e.Code,
		Retryable: e.Code.Retryable(),
		RequestID: requestID,
		Upstream:  e.Upstream,
	}
}

// contract is what a code promises: the HTTP status, its phrase (RFC 9457, section 4.2.1, wants the phrase as the title of
// about:blank problems), and whether the same request may succeed later.
type contract struct {
	status    int
	title     string
	retryable bool
}

var contracts = map[Code]contract{
	CodeInvalidRequest:          {400, "Bad Request", false},
	CodeUnauthenticated:         {401, "Unauthorized", false},
	CodeForbidden:               {403, "Forbidden", false},
	CodeNotFound:                {404, "Not Found", false},
	CodeMethodNotAllowed:        {405, "Method Not Allowed", false},
	CodePayloadTooLarge:         {413, "Request Entity Too Large", false},
	CodeUnsupportedMediaType:    {415, "Unsupported Media Type", false},
	CodeRoomNotFound:            {404, "Not Found", false},
	CodeAccountNotFound:         {404, "Not Found", false},
	CodeRateLimited:             {429, "Too Many Requests", true},
	CodeUpstreamRejected:        {502, "Bad Gateway", false},
	CodeUpstreamCredentials:     {502, "Bad Gateway", false},
	CodeUpstreamConfig:          {502, "Bad Gateway", false},
	CodeUpstreamSuspended:       {502, "Bad Gateway", false},
	CodeUpstreamInvalidResponse: {502, "Bad Gateway", true},
	CodeUpstreamUnavailable:     {503, "Service Unavailable", true},
	CodeSecretUnavailable:       {503, "Service Unavailable", true},
	CodeLedgerUnavailable:       {503, "Service Unavailable", true},
	CodeUpstreamTimeout:         {504, "Gateway Timeout", true},
	CodeInternal:                {500, "Internal Server Error", true},
}

// Codes lists every code.
func Codes() []Code {
	codes := make([]Code, 0, len(contracts))
	for code := range contracts {
		codes = append(codes, code)
	}
	return codes
}

func (c Code) contract() contract {
	if known, ok := contracts[c]; ok {
		return known
	}
	return contracts[CodeInternal]
}

// Status is the HTTP status of the code.
func (c Code) Status() int { return c.contract().status }

// Title is the phrase of the status.
func (c Code) Title() string { return c.contract().title }

// Retryable reports whether the same request may succeed later, with nothing changed by the caller or an operator.
func (c Code) Retryable() bool { return c.contract().retryable }
