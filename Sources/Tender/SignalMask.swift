import Glibc

/// The calling thread's blocked signals, kept to be put back.
struct SignalMask {
    private var previous: sigset_t

    /// What ends a command from outside.
    static let endings: [Int32] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

    static func set(of signals: some Sequence<Int32>) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        return set
    }

    static func block(_ signals: some Sequence<Int32>) -> SignalMask {
        var wanted = set(of: signals)
        var previous = sigset_t()
        sigprocmask(SIG_BLOCK, &wanted, &previous)
        return SignalMask(previous: previous)
    }

    func restore() {
        var mask = previous
        sigprocmask(SIG_SETMASK, &mask, nil)
    }
}
