// Package strict decodes JSON so that nothing is misread: names of fields are case-sensitive, an unknown or repeated one is an error, and
// so are invalid UTF-8 and data after the value. encoding/json accepts names in any case, and takes the last of several values or merges
// them.
//
// The decoder is that of encoding/json/v2. From Go 1.27 on, the module that is imported here is only another name for it.
package strict

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Fault says what is wrong.
type Fault int

// The faults.
const (
	Empty      Fault = iota + 1 // the input is empty
	Incomplete                  // the JSON ends early
	Malformed                   // not JSON, or not in UTF-8
	Trailing                    // more data after the value
	Unknown                     // a field that the type does not have
	Repeated                    // a field that appears twice
	WrongType                   // a value that the field cannot hold
)

// Error is what [Decode] returns. Its text repeats neither a value nor a name of the JSON.
type Error struct {
	Fault  Fault
	Path   string       // of the field, like queries[3].account; it may be long, and may hold a secret in the wrong place
	Name   string       // the last part of Path
	Offset int64        // of the fault in the JSON, in bytes; for Malformed only
	Given  string       // what JSON calls the value, such as "array"; for WrongType only
	Want   reflect.Type // for WrongType; for Unknown, the struct that lacks the field
}

func (e *Error) Error() string {
	return [...]string{
		Empty: "no JSON", Incomplete: "incomplete JSON", Malformed: "invalid JSON", Trailing: "data after the JSON value",
		Unknown: "unknown field", Repeated: "repeated field", WrongType: "wrong type",
	}[e.Fault]
}

// Allowed returns the names of the fields that are allowed where an unknown one was found, in the order of the struct. It returns nil for
// any other fault.
func (e *Error) Allowed() []string {
	if e.Fault != Unknown || e.Want == nil || e.Want.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for _, field := range reflect.VisibleFields(e.Want) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// Decode decodes one JSON value. Null leaves a field as it is, unless an option says otherwise. The error is an [*Error].
func Decode(raw []byte, value any, options ...json.Options) error {
	decoder := jsontext.NewDecoder(bytes.NewReader(raw))
	options = append(options, json.RejectUnknownMembers(true))
	if err := json.UnmarshalDecode(decoder, value, options...); err != nil {
		return explain(err)
	}
	if _, err := decoder.ReadToken(); err != io.EOF {
		return &Error{Fault: Trailing}
	}
	return nil
}

// NoNull is an option that refuses null for a field that is neither a pointer nor a slice nor a map.
func NoNull() json.Options {
	return json.WithUnmarshalers(json.UnmarshalFromFunc(func(decoder *jsontext.Decoder, value any) error {
		if want := reflect.TypeOf(value).Elem(); decoder.PeekKind() == jsontext.KindNull && !nilable(want.Kind()) {
			return &nullError{want}
		}
		return errors.ErrUnsupported // the decoder goes on as without this function
	}))
}

type nullError struct{ want reflect.Type }

func (*nullError) Error() string { return "null" }

func nilable(kind reflect.Kind) bool {
	return kind == reflect.Pointer || kind == reflect.Slice || kind == reflect.Map
}

// explain turns an error of the decoder, which quotes the JSON, into one that does not.
func explain(err error) error {
	var syntactic *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case err == io.EOF:
		return &Error{Fault: Empty}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{Fault: Incomplete}
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntactic):
		return located(Repeated, syntactic.JSONPointer)
	case errors.Is(err, json.ErrUnknownName) && errors.As(err, &semantic):
		e := located(Unknown, semantic.JSONPointer)
		e.Want = semantic.GoType
		return e
	case errors.As(err, &semantic):
		return wrongType(semantic)
	case errors.As(err, &syntactic):
		return &Error{Fault: Malformed, Offset: syntactic.ByteOffset}
	}
	return &Error{Fault: Malformed}
}

func located(fault Fault, pointer jsontext.Pointer) *Error {
	return &Error{Fault: fault, Path: path(pointer), Name: pointer.LastToken()}
}

// path returns a pointer in the form that is common in programs. A name that has only digits looks like an index.
func path(pointer jsontext.Pointer) string {
	var text strings.Builder
	for token := range pointer.Tokens() {
		switch {
		case token != "" && strings.Trim(token, "0123456789") == "":
			text.WriteString("[" + token + "]")
		case text.Len() > 0:
			text.WriteString("." + token)
		default:
			text.WriteString(token)
		}
	}
	return text.String()
}

func wrongType(semantic *json.SemanticError) *Error {
	e := located(WrongType, semantic.JSONPointer)
	var null *nullError
	if errors.As(semantic, &null) {
		e.Given, e.Want = "null", null.want
		return e
	}
	e.Given, e.Want = given(semantic.JSONKind), semantic.GoType
	if e.Want.Kind() == reflect.Pointer { // the type of an UnmarshalJSON method
		e.Want = e.Want.Elem()
	}
	return e
}

// given returns what JSON calls a value.
func given(kind jsontext.Kind) string {
	switch kind {
	case jsontext.KindBeginObject:
		return "object"
	case jsontext.KindBeginArray:
		return "array"
	case jsontext.KindTrue, jsontext.KindFalse:
		return "boolean"
	}
	return kind.String()
}
