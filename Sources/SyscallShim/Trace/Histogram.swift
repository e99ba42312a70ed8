/// How often lengths of time occurred, in buckets whose width grows with the value: 16 a doubling,
/// so that a percentile is exact to 1/16 in bounded memory and without floating point.
struct Histogram {
    /// Longer times count as this, about 18 minutes.
    private static let longestExponent = 40
    static let bucketCount = (longestExponent - 3) * 16

    private let buckets: UnsafeMutablePointer<UInt32>
    private(set) var count: UInt64 = 0

    init() {
        buckets = .allocate(capacity: Histogram.bucketCount)
        buckets.initialize(repeating: 0, count: Histogram.bucketCount)
    }

    func deallocate() { buckets.deallocate() }

    mutating func add(_ value: UInt64) {
        let index = Histogram.index(value)
        if buckets[index] < .max { buckets[index] &+= 1 }
        count &+= 1
    }

    static func index(_ value: UInt64) -> Int {
        guard value >= 16 else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        guard exponent < longestExponent else { return bucketCount - 1 }
        return (exponent - 3) * 16 + Int(value >> UInt64(exponent - 4) & 15)
    }

    /// The middle of a bucket.
    static func value(_ index: Int) -> UInt64 {
        guard index >= 16 else { return UInt64(index) }
        let exponent = UInt64(index / 16 + 3)
        let width = UInt64(1) << (exponent - 4)
        return UInt64(16 + index & 15) &* width + (width - 1) / 2
    }

    /// The smallest value that `percent` of all do not exceed.
    func percentile(_ percent: UInt64) -> UInt64 {
        guard count > 0 else { return 0 }
        let (whole, rest) = (count / 100, count % 100)
        let rank = max(1, whole * percent + (rest * percent + 99) / 100)
        var seen: UInt64 = 0
        for index in 0..<Histogram.bucketCount {
            seen &+= UInt64(buckets[index])
            if seen >= rank { return Histogram.value(index) }
        }
        return Histogram.value(Histogram.bucketCount - 1)
    }
}

/// What `--stats` knows of one system call.
struct CallStatistics {
    private(set) var count: UInt64 = 0
    private(set) var errors: UInt64 = 0
    /// Nanoseconds, waiting included.
    private(set) var total: UInt64 = 0
    private(set) var times = Histogram()

    mutating func add(_ time: UInt64, failed: Bool) {
        count &+= 1
        if failed { errors &+= 1 }
        total &+= time
        times.add(time)
    }

    /// A call that does not return.
    mutating func addUnfinished() { count &+= 1 }

    func deallocate() { times.deallocate() }
}
