"""The fault suite: the whole installation, with all its processes, is broken on purpose.

Every test ends by comparing three witnesses (invariants.py): the broker's own orders, its journal of
requests, and the product's record. Each module has an installation of its own; its numbers are
shortened (installation.HURRIED), its code is the product's. `TRADESWIM_FAULT_SEED` repeats what was
drawn at random. `python -m tests.faults.soak` goes on for minutes with the product's own numbers.

Which fault is where (a bare name is a module of this package):

    F1  two clicks, one key          test_messages; tests/e2e/test_up.py, tests/api/test_idempotency.py
    F2  one key, two orders          test_messages; tests/api/test_idempotency.py
    F3  web dies before the ring     test_around_the_orders; messages lost: test_messages
    F4  web dies before the commit   test_around_the_orders
    F5  ring fails, yet was heard    test_messages; tests/integration/test_queue.py
    F6  ring heard twice             test_messages
    F7  message delivered often      test_messages
    F8  message delivered late       test_messages
    F9  worker dies behind claim     test_worker_dies
    F10 … with requests in flight    test_worker_dies (45 of them), test_exits
    F11 … with answers in hand       test_worker_dies
    F12 power cut behind the claim   test_worker_dies (what is on the disk at that moment)
    F13 SIGTERM in a broadcast       test_worker_dies
    F14 SIGQUIT in a broadcast       test_worker_dies
    F15 worker stands still          test_worker_dies (before and behind the send)
    F16 never answered               test_broker_answers
    F17 hung up on                   test_broker_answers
    F18 500, placed                  test_broker_answers
    F19 500, not placed              test_broker_answers
    F20 no Location                  test_broker_answers
    F21 wrong Location               test_broker_answers (three kinds)
    F22 answer breaks off            test_broker_answers; tests/integration/transport
    F23 answer drips                 test_broker_answers; tests/integration/transport
    F24 listed late                  test_broker_answers, test_worker_dies
    F25 lists cut short              test_broker_answers; tests/integration/orders/test_reconciling.py
    F26 lists that are full          tests/integration/orders/test_reconciling.py
    F27 two of ours                  test_broker_answers
    F28 the same made by hand        test_broker_answers
    F29 connection closed while idle tests/integration/transport/test_kept_connections.py
    F30 broker cannot be reached     test_broker_answers; tests/integration/transport
    F31 429 with and without a pause test_broker_answers
    F32 401 in a broadcast           test_broker_answers
    F33 token endpoint is mute       test_around_the_orders
    F34 twenty renew at once         tests/integration/accounts/test_tokens.py
    F35 redirect                     test_broker_answers
    F36 Redis dies, comes back empty test_messages, test_redis_gone
    F37 Redis silent for 30 s        test_messages, test_redis_gone
    F38 Redis full                   test_messages; tests/integration/test_queue.py
    F39 Redis emptied                test_messages
    F40 database locked              test_database_gone
    F41 database away                test_database_gone (PostgreSQL)
    F42 disk full                    test_database_gone (SQLite)
    F43 two beats, none              test_around_the_orders
    F44 clock wrong by minutes       test_around_the_orders; tests/integration/orders/test_clock.py
    F45 reads out of order           tests/integration/orders/test_applying.py
    F46 fills race a cancel          test_control
    F47 replaced by the broker       tests/integration/orders/test_following.py
    F48 status nobody knows          test_broker_answers; tests/unit/orders/test_lifecycle.py
    F49 cancel's answer lost         test_control
    F50 cancel of an unknown order   tests/integration/orders/test_canceling.py
    F51 exit pressed often           test_exits; with fills missing or unknown: test_exits_by_hand
    F52 one mute account of 45       test_worker_dies; tests/e2e/test_up.py
    F53 yesterday's backup           tests/e2e/test_restart.py
    F54 two deployments              tests/e2e/test_restart.py
    F55 frozen in a broadcast        test_around_the_orders, test_control (by the API)
    F57 switched off behind click    test_around_the_orders
    F58 keys rotated under traffic   test_around_the_orders
    F59 keys missing                 test_around_the_orders

With what they belong to: F56 (rolling code back), F60 (unattended logins).
"""
