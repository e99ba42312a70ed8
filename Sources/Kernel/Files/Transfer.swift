import LinuxABI
import Platform

/// One range of a `Transfer`, laid out as `struct iovec`.
public struct TransferSegment: BitwiseCopyable {
    public var base: UInt
    public var length: UInt

    public init(base: UInt, length: UInt) {
        self.base = base
        self.length = length
    }
}

/// Where a file's bytes go to or come from: ranges of the program's memory, or one of the kernel's.
///
/// It moves on as bytes pass. A fault after the first byte ends the transfer short; before it, it
/// is `badAddress`, as read(2) and write(2) have it.
public struct Transfer {
    private var base: UInt
    private var length: Int
    /// Bytes that may still pass.
    public private(set) var remaining: Int
    private var next: UnsafePointer<TransferSegment>?
    private var segmentsLeft: Int
    private let isKernel: Bool

    /// The most that one call moves: MAX_RW_COUNT of read(2).
    public static let limit = 0x7fff_f000

    @inline(__always)
    public init(_ buffer: UserBuffer) {
        base = buffer.address
        length = buffer.count < 0 || buffer.count > Transfer.limit ? Transfer.limit : buffer.count
        remaining = length
        next = nil
        segmentsLeft = 0
        isKernel = false
    }

    /// Memory of the kernel; it outlives the transfer.
    @inline(__always)
    public init(kernel bytes: UnsafeRawBufferPointer) {
        base = UInt(bitPattern: bytes.baseAddress)
        length = bytes.count
        remaining = length
        next = nil
        segmentsLeft = 0
        isKernel = true
    }

    /// Ranges of the program's memory; the list is the kernel's and outlives the transfer.
    public init(_ segments: UnsafeBufferPointer<TransferSegment>) throws(Errno) {
        var total = 0
        for segment in segments {
            guard segment.length <= UInt(Int.max) else { throw .invalidArgument }
            let (sum, overflow) = total.addingReportingOverflow(Int(segment.length))
            // More than there are addresses: some of it is nobody's.
            guard !overflow else { throw .badAddress }
            total = sum
        }
        base = 0
        length = 0
        remaining = min(total, Transfer.limit)
        next = segments.baseAddress
        segmentsLeft = segments.count
        isKernel = false
    }

    /// Lets at most `count` more bytes pass.
    public mutating func cap(_ count: Int) { remaining = min(remaining, max(count, 0)) }

    /// Copies `count` bytes of the file to where they go; less when the transfer ends or faults.
    @inline(__always)
    public mutating func give(_ source: UnsafeRawPointer, _ count: Int) throws(Errno) -> Int {
        if count <= length, count <= remaining, !isKernel, UserMemory.isProgram(base, count),
            user_copy(UnsafeMutableRawPointer(bitPattern: base), source, count) == 0
        {
            advance(count)
            return count
        }
        return try giveInParts(source, count)
    }

    /// Apart, as it is far from small, and `give` is in many places.
    @inline(never)
    private mutating func giveInParts(_ source: UnsafeRawPointer, _ count: Int) throws(Errno) -> Int
    {
        try move(count) { (address, done, part) in
            user_copy(UnsafeMutableRawPointer(bitPattern: address), source + done, part)
        } kernel: { (address, done, part) in
            address.copyMemory(from: source + done, byteCount: part)
        }
    }

    /// Copies `count` bytes to the file from where they are; less when the transfer ends or faults.
    @inline(__always)
    public mutating func take(_ target: UnsafeMutableRawPointer, _ count: Int) throws(Errno) -> Int
    {
        if count <= length, count <= remaining, !isKernel, UserMemory.isProgram(base, count),
            user_copy(target, UnsafeRawPointer(bitPattern: base), count) == 0
        {
            advance(count)
            return count
        }
        return try takeInParts(target, count)
    }

    @inline(never)
    private mutating func takeInParts(_ target: UnsafeMutableRawPointer, _ count: Int)
        throws(Errno) -> Int
    {
        try move(count) { (address, done, part) in
            user_copy(target + done, UnsafeRawPointer(bitPattern: address), part)
        } kernel: { (address, done, part) in
            (target + done).copyMemory(from: address, byteCount: part)
        }
    }

    /// Gives `count` zero bytes.
    public mutating func giveZeroes(_ count: Int) throws(Errno) -> Int {
        try move(count) { (address, _, part) in
            user_zero(UnsafeMutableRawPointer(bitPattern: address), part)
        } kernel: { (address, _, part) in
            address.initializeMemory(as: UInt8.self, repeating: 0, count: part)
        }
    }

    /// Lets `count` bytes pass without looking at them.
    public mutating func skip(_ count: Int) {
        var left = min(count, remaining)
        while left > 0, settle() {
            let part = min(left, length)
            advance(part)
            left -= part
        }
    }

    /// Lends the ranges of the next `limit` bytes to an operation of the platform that answers how
    /// many bytes passed; `badAddress` when the first lies outside the program.
    public mutating func withPlatformSegments(
        limit: Int,
        _ body: (UnsafePointer<platform_segment>, UInt64) -> Int64
    ) throws(Errno) -> Int {
        var segments = InlineArray<16, platform_segment>(repeating: platform_segment())
        var count = 0
        var probe = self
        probe.cap(limit)
        while count < 16, probe.remaining > 0, probe.settle() {
            let part = min(probe.length, probe.remaining)
            guard isKernel || UserMemory.isProgram(probe.base, part) else { break }
            segments[count] = platform_segment(
                base: UnsafeMutableRawPointer(bitPattern: probe.base),
                length: UInt64(part)
            )
            count += 1
            probe.advance(part)
        }
        guard count > 0 else {
            guard remaining == 0 else { throw .badAddress }
            return 0
        }
        let answer = withUnsafeMutablePointer(to: &segments) { list in
            list.withMemoryRebound(to: platform_segment.self, capacity: 16) {
                body($0, UInt64(count))
            }
        }
        let passed = try checked(answer)
        skip(passed)
        return passed
    }

    @inline(__always)
    private mutating func advance(_ count: Int) {
        base &+= UInt(bitPattern: count)
        length &-= count
        remaining &-= count
    }

    /// Goes to the next range that is not empty; false at the end.
    private mutating func settle() -> Bool {
        while length == 0 {
            guard segmentsLeft > 0, let segment = next else { return false }
            base = segment.pointee.base
            length = Int(truncatingIfNeeded: segment.pointee.length)
            next = segment + 1
            segmentsLeft -= 1
        }
        return true
    }

    /// Moves up to `count` bytes range by range. `user` answers how many it could not move.
    private mutating func move(
        _ count: Int,
        user: (UInt, Int, Int) -> Int,
        kernel: (UnsafeMutableRawPointer, Int, Int) -> Void
    ) throws(Errno) -> Int {
        var done = 0
        let wanted = min(count, remaining)
        while done < wanted, settle() {
            var part = min(length, wanted &- done)
            var left = 0
            if isKernel {
                kernel(UnsafeMutableRawPointer(bitPattern: base)!, done, part)
            } else if UserMemory.isProgram(base, part) {
                left = user(base, done, part)
            } else {
                left = part
            }
            part &-= left
            advance(part)
            done &+= part
            guard left == 0 else {
                guard done > 0 else { throw .badAddress }
                return done
            }
        }
        return done
    }
}
