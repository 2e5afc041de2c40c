package redis

import "time"

// Wait makes the store wait for a server as long as a test may take: a machine that runs tests may be busy for seconds.
func (s *Store) Wait() { s.dialTime, s.patience = time.Minute, time.Minute }
