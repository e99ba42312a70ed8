import LinuxABI

extension OpenFile {
    public final var isNonBlocking: Bool {
        @inline(__always) get { flags.contains(.nonBlocking) }
    }

    /// Reads at the file's position, waiting until something can be read.
    @inline(__always)
    public final func readWaiting(_ transfer: inout Transfer) throws(Errno) -> Int {
        do throws(Errno) {
            return try read(&transfer, at: &position)
        } catch {
            guard error == .wouldBlock, !isNonBlocking else { throw error }
        }
        return try readAgain(&transfer)
    }

    @_optimize(speed)
    @inline(never)
    final func readWhenReady(_ transfer: inout Transfer) throws(Errno) -> Int {
        // Another thread may close the descriptor while this one waits.
        let held = Unmanaged.passRetained(self)
        defer { held.release() }
        let start = now()
        while true {
            let deadline = readDeadline(since: start)
            do throws(Errno) { try waitUntilReady(.readable, deadline) } catch {
                guard error == .timedOut else { throw error }
                return try readLate(&transfer)
            }
            do throws(Errno) {
                return try read(&transfer, at: &position)
            } catch {
                guard error == .wouldBlock, !isNonBlocking else { throw error }
            }
        }
    }

    /// Writes at the file's position, waiting until something, or all, could be written.
    @inline(__always)
    public final func writeWaiting(_ transfer: inout Transfer) throws(Errno) -> Int {
        do throws(Errno) {
            let count = try write(&transfer, at: &position)
            guard transfer.remaining > 0, traits.contains(.writesAll), !isNonBlocking else {
                return count
            }
            return try writeAgain(&transfer, after: count)
        } catch {
            guard error == .wouldBlock, !isNonBlocking else { throw error }
        }
        return try writeAgain(&transfer, after: 0)
    }

    @_optimize(speed)
    @inline(never)
    final func writeWhenReady(_ transfer: inout Transfer, after first: Int) throws(Errno) -> Int {
        let held = Unmanaged.passRetained(self)
        defer { held.release() }
        var done = first
        do throws(Errno) {
            while true {
                do throws(Errno) {
                    let count = try write(&transfer, at: &position)
                    done += count
                    guard count > 0, transfer.remaining > 0, traits.contains(.writesAll) else {
                        return done
                    }
                    continue
                } catch {
                    guard error == .wouldBlock, !isNonBlocking else { throw error }
                }
                try waitUntilReady(.writable)
            }
        } catch {
            guard done > 0 else { throw error }
            return done
        }
    }

    final func waitUntilReady(_ events: PollEvents, _ deadline: Nanoseconds = .never)
        throws(Errno)
    {
        guard let waitQueue else { throw .wouldBlock }
        try waitQueue.lend { (queue) throws(Errno) in
            try queue.wait(for: events.union(.unasked), until: deadline)
        }
    }
}
