package location

import "math"

// vector is a place on earth as a unit vector. The larger the dot product of two, the nearer they
// are: that orders places without trigonometry.
type vector [3]float64

func vectorOf(latitude, longitude float64) vector {
	const degree = math.Pi / 180
	sinLat, cosLat := math.Sincos(latitude * degree)
	sinLon, cosLon := math.Sincos(longitude * degree)
	return vector{cosLat * cosLon, cosLat * sinLon, sinLat}
}

func (v vector) dot(w vector) float64 { return v[0]*w[0] + v[1]*w[1] + v[2]*w[2] }

// earthRadius is the mean radius, km.
const earthRadius = 6371.0088

// distance returns the great-circle distance in km.
func (v vector) distance(w vector) float64 {
	cross := vector{v[1]*w[2] - v[2]*w[1], v[2]*w[0] - v[0]*w[2], v[0]*w[1] - v[1]*w[0]}
	return earthRadius * math.Atan2(math.Sqrt(cross.dot(cross)), v.dot(w))
}
