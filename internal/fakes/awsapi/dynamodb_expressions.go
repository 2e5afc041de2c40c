package awsapi

import (
	"cmp"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// expressions evaluates the expressions of one call. The first mistake in them is kept.
//
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
type expressions struct {
	names  map[string]string
	values item
	used   map[string]bool
	err    string
	read   map[string][]string // tokens by expression
	known  map[string]bool     // words that are names

	tokens []string // what is left of the current expression
	item   item     // that it is evaluated for
}

// token is a word, an operator or a bracket.
var token = regexp.MustCompile(`[#:]?\w+|<=|>=|<>|[=<>(),]`)

// reserved are some of the words that must not stand in an expression as the name of an attribute.
//
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
var reserved = []string{"COUNT", "NAME", "OPEN", "RECORD", "STREAM", "TIMESTAMP", "TTL", "UNTIL", "VALUE"}

func newExpressions(input *tableInput) *expressions {
	e := &expressions{
		names: input.ExpressionAttributeNames, values: input.ExpressionAttributeValues, used: map[string]bool{}, read: map[string][]string{},
		known: map[string]bool{},
	}
	// Every expression is read once, also if there is no item for it.
	for _, expression := range []string{input.ConditionExpression, input.KeyConditionExpression, input.FilterExpression} {
		if expression != "" {
			e.holds(expression, nil)
		}
	}
	e.project(input.ProjectionExpression, nil)
	for _, word := range strings.Fields(input.UpdateExpression) {
		if strings.HasPrefix(word, ":") {
			e.value(word)
		}
	}
	for name := range e.names {
		if !e.used[name] {
			e.mistake("Value provided in ExpressionAttributeNames unused in expressions: " + name)
		}
	}
	for name := range e.values {
		if !e.used[name] {
			e.mistake("Value provided in ExpressionAttributeValues unused in expressions: " + name)
		}
	}
	return e
}

func (e *expressions) mistake(message string) { e.err = cmp.Or(e.err, message) }

// failure returns what is wrong with the expressions, or nil.
func (e *expressions) failure() *failure {
	if e.err == "" {
		return nil
	}
	return invalid("Invalid expression: " + e.err)
}

// holds reports whether an item meets a condition.
func (e *expressions) holds(condition string, i item) bool {
	if e.read[condition] == nil {
		e.read[condition] = token.FindAllString(condition, -1)
	}
	e.tokens, e.item = e.read[condition], i
	result := e.or()
	if len(e.tokens) > 0 {
		e.mistake("Syntax error; token: " + e.tokens[0])
	}
	return result
}

// partition returns the partition key that a key condition asks for; empty if it is that of an index.
func (e *expressions) partition(condition string) string {
	if words := e.read[condition]; len(words) > 2 && words[0] == "pk" && words[1] == "=" {
		return e.value(words[2]).text()
	}
	return ""
}

// within returns the sorted items of a partition that are within the bounds of a key condition. Like DynamoDB, a query must not take
// longer because the partition has many other items.
func (e *expressions) within(condition string, sorted []item) []item {
	words := e.read[condition]
	if len(words) != 9 || words[4] != "sk" || words[5] != "BETWEEN" {
		return sorted
	}
	low, high := e.value(words[6]).text(), e.value(words[8]).text()
	from := sort.Search(len(sorted), func(n int) bool { return sorted[n]["sk"].text() >= low })
	until := sort.Search(len(sorted), func(n int) bool { return sorted[n]["sk"].text() > high })
	return sorted[from:max(from, until)]
}

// next removes the first token and returns it.
func (e *expressions) next() string {
	if len(e.tokens) == 0 {
		e.mistake("Syntax error; the expression ends early")
		return ""
	}
	first := e.tokens[0]
	e.tokens = e.tokens[1:]
	return first
}

// accept removes the first token if it is the given one.
func (e *expressions) accept(want string) bool {
	if len(e.tokens) == 0 || e.tokens[0] != want {
		return false
	}
	e.tokens = e.tokens[1:]
	return true
}

func (e *expressions) expect(want string) {
	if got := e.next(); got != want {
		e.mistake("Syntax error; token: " + got)
	}
}

func (e *expressions) or() bool {
	result := e.and()
	for e.accept("OR") {
		right := e.and()
		result = result || right
	}
	return result
}

func (e *expressions) and() bool {
	result := e.term()
	for e.accept("AND") {
		right := e.term()
		result = result && right
	}
	return result
}

func (e *expressions) term() bool {
	switch first := e.next(); first {
	case "(":
		result := e.or()
		e.expect(")")
		return result
	case "NOT":
		return !e.term()
	case "attribute_exists", "attribute_not_exists":
		e.expect("(")
		_, exists := e.item[e.name(e.next())]
		e.expect(")")
		return exists == (first == "attribute_exists")
	default:
		return e.comparison(e.operand(first))
	}
}

func (e *expressions) comparison(left attribute) bool {
	operator := e.next()
	right := e.operand(e.next())
	order, comparable := compare(left, right)
	switch operator {
	case "=":
		return comparable && order == 0
	case "<":
		return comparable && order < 0
	case "<=":
		return comparable && order <= 0
	case ">":
		return comparable && order > 0
	case ">=":
		return comparable && order >= 0
	case "BETWEEN":
		e.expect("AND")
		return e.between(left, right, e.operand(e.next()))
	}
	e.mistake("Syntax error; token: " + operator)
	return false
}

func (e *expressions) between(value, low, high attribute) bool {
	if order, _ := compare(low, high); order > 0 {
		e.mistake("The BETWEEN operator requires upper bound to be greater than or equal to lower bound")
	}
	fromLow, comparable := compare(value, low)
	toHigh, _ := compare(value, high)
	return comparable && fromLow >= 0 && toHigh <= 0
}

// operand is the value behind a placeholder, or that of the item.
func (e *expressions) operand(word string) attribute {
	if strings.HasPrefix(word, ":") {
		return e.value(word)
	}
	return e.item[e.name(word)]
}

func (e *expressions) value(placeholder string) attribute {
	e.used[placeholder] = true
	value, ok := e.values[placeholder]
	if !ok {
		e.mistake("An expression attribute value used in expression is not defined; attribute value: " + placeholder)
	}
	return value
}

// name is the name of an attribute, which may be given by a placeholder.
func (e *expressions) name(word string) string {
	if strings.HasPrefix(word, "#") {
		e.used[word] = true
		if _, ok := e.names[word]; !ok {
			e.mistake("An expression attribute name used in the document path is not defined; attribute name: " + word)
		}
		return e.names[word]
	}
	if !e.known[word] && slices.Contains(reserved, strings.ToUpper(word)) {
		e.mistake("Attribute name is a reserved keyword; reserved keyword: " + word)
	}
	e.known[word] = true
	return word
}

// project returns the attributes that an expression names; all if it is empty.
func (e *expressions) project(projection string, i item) item {
	if projection == "" {
		return i
	}
	projected := item{}
	for word := range strings.SplitSeq(projection, ",") {
		name := e.name(strings.TrimSpace(word))
		if value, ok := i[name]; ok {
			projected[name] = value
		}
	}
	return projected
}

// compare compares two strings by their bytes, or two numbers.
func compare(a, b attribute) (order int, comparable bool) {
	switch {
	case a.S != nil && b.S != nil:
		return cmp.Compare(*a.S, *b.S), true
	case a.N != nil && b.N != nil:
		left, leftErr := strconv.ParseInt(*a.N, 10, 64)
		right, rightErr := strconv.ParseInt(*b.N, 10, 64)
		return cmp.Compare(left, right), leftErr == nil && rightErr == nil
	}
	return 0, false
}
