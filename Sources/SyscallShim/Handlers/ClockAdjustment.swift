import Kernel
import LinuxABI

/// A `struct timex` of adjtimex(2), by 64-bit words: the host's clock as nobody corrects it.
private enum Adjustment {
    static let words = 26
    /// ADJ_ADJTIME with ADJ_OFFSET_SINGLESHOT, and ADJ_OFFSET_READONLY.
    static let once: UInt32 = 0x8000
    static let single: UInt32 = 1
    static let readsOnly: UInt32 = 0x2000
    /// TIME_ERROR, as STA_UNSYNC tells.
    static let notSynchronized = 5

    /// What Linux tells before anybody corrected the clock: bounds of the error and all else, by word.
    static func fill(_ record: UserPointer<UInt64>, modes: UInt32) throws(Errno) {
        let time = Clock.realtime()
        for word in 1..<words {
            let value: UInt64
            switch word {
            // MAXPHASE's maximum, in microseconds.
            case 3, 4: value = 16_000_000
            // STA_UNSYNC
            case 5: value = 0x40
            case 6: value = 2
            case 7: value = 1
            // MAXFREQ
            case 8: value = 32_768_000
            case 9: value = time / 1_000_000_000
            case 10: value = time % 1_000_000_000 / 1000
            case 11: value = 10_000
            default: value = 0
            }
            try record[word].store(value)
        }
    }
}

private func adjust(_ address: UInt) throws(Errno) -> Int {
    let record = UserPointer<UInt64>(address)
    let modes = UInt32(truncatingIfNeeded: try record.load())
    _ = try record[Adjustment.words - 1].load()
    if modes & Adjustment.once != 0 {
        guard modes & Adjustment.single != 0 else { throw .invalidArgument }
        guard modes & Adjustment.readsOnly != 0 else { throw .notPermitted }
    } else if modes != 0 {
        // The clock is the host's.
        throw .notPermitted
    }
    try Adjustment.fill(record, modes: modes)
    return Adjustment.notSynchronized
}

/// adjtimex(2)
func sysAdjustTime(_ record: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in try adjust(record) }
}

/// clock_adjtime(2)
func sysAdjustClock(_ clock: UInt, _ record: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        _ = try UserPointer<UInt64>(record).load()
        let clock = ClockID(rawValue: clock.int)
        guard clock != .realtime else { return try adjust(record) }
        _ = try Clock.read(clock)
        throw .notSupported
    }
}
