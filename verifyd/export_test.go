package verifyd

import "time"

// MaxPlatforms is the bound of a Cache.
const MaxPlatforms = maxPlatforms

// SetClock gives a cache another clock.
func SetClock(c *Cache, now func() time.Time) { c.now = now }

// Kept is how many platforms a cache has something of.
func Kept(c *Cache) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}
