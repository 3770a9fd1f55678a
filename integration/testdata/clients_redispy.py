"""What redis-py users do, against a running server: clients_redispy.py HOST PORT SOCKET."""
import sys
import threading

import redis

host, port, socket = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def check(client):
    client.flushall()
    assert client.ping() is True
    assert client.set("k", b"a\r\n\x00b", ex=100) is True
    assert client.get("k") == b"a\r\n\x00b"
    assert 0 < client.ttl("k") <= 100
    assert client.get("missing") is None
    assert client.set("k", "other", nx=True) is None
    assert client.set("k", "new", get=True) == b"a\r\n\x00b"
    assert client.mset({"a": 1, "b": 2}) is True
    assert client.mget("a", "missing", "b") == [b"1", None, b"2"]
    assert client.incrby("n", 41) == 41
    assert client.incrbyfloat("n", 0.5) == 41.5
    assert client.delete("a", "b", "missing") == 2
    assert client.exists("k", "k", "missing") == 2
    assert client.rename("k", "renamed") is True
    assert client.type("renamed") == b"string"
    assert client.setbit("bits", 7, 1) == 0
    assert client.bitcount("bits") == 1
    try:
        client.incr("renamed")
        raise AssertionError("INCR of text is no error")
    except redis.ResponseError as e:
        assert str(e) == "value is not an integer or out of range", e
    try:
        client.execute_command("NOSUCHCOMMAND", "x")
        raise AssertionError("an unknown command is no error")
    except redis.ResponseError as e:
        assert str(e).startswith("unknown command 'NOSUCHCOMMAND'"), e


def check_pipeline(client):
    pipe = client.pipeline(transaction=False)
    for i in range(2000):
        pipe.set("p:%d" % i, i)
        pipe.get("p:%d" % i)
    replies = pipe.execute()
    assert replies[0::2] == [True] * 2000
    assert replies[1::2] == [b"%d" % i for i in range(2000)]
    found = set(client.scan_iter("p:*", count=50))
    assert found == {b"p:%d" % i for i in range(2000)}, len(found)
    assert client.dbsize() >= 2000


def check_threads(client):
    def work():
        for _ in range(100):
            client.incr("threads")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert client.get("threads") == b"800"


def check_server(client):
    assert client.info("server")["redis_version"].startswith("7.4.")
    assert client.info("keyspace")["db0"]["keys"] == client.dbsize()
    assert client.command_count() == len([n for n in client.command() if "|" not in n])
    assert client.client_setname("tester") is True
    assert client.client_getname() == "tester"
    assert any(c["name"] == "tester" for c in client.client_list())
    seconds, micros = client.time()
    assert seconds > 0 and 0 <= micros < 10**6
    assert client.config_get("maxclients")["maxclients"].isdigit()
    big = b"0123456789abcdef" * (10 * 2**16)
    assert client.set("big", big) is True
    assert client.get("big") == big


for c in (
    redis.Redis(host=host, port=port),
    redis.Redis(host=host, port=port, db=3),
    redis.Redis(unix_socket_path=socket),
):
    check(c)
    check_pipeline(c)
    check_threads(c)
check_server(redis.Redis(host=host, port=port, single_connection_client=True))
decoding = redis.from_url("redis://%s:%d/1" % (host, port), decode_responses=True)
assert decoding.set("k", "ä") is True and decoding.get("k") == "ä"
print("all passed")
