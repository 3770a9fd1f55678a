package actors

// RedisVersion is the version of Redis whose behaviour the server has. Clients decide by it what they may send.
const RedisVersion = "7.4.1"

// Version is Troupe's own version.
const Version = "0.1.0"
