import LinuxABI
import Platform

/// The machine's disks: /dev/vda and so on, as Linux names those of virtio.
public enum Disks {
    /// As Linux gives it out where nothing else has taken it; 16 minor numbers a disk.
    static let major: UInt32 = 254
    static let limit: UInt32 = 8

    /// Those who wait for a request to end, or for their turn.
    nonisolated(unsafe) private static var waiting: WaitQueue?
    /// A bit for each disk that somebody uses.
    nonisolated(unsafe) private static var used: UInt32 = 0

    static func start() {
        waiting = WaitQueue()
        used = 0
    }

    static func stop() { waiting = nil }

    /// Waits for a disk's turn: the platform makes one request of it at a time, during which other
    /// threads run.
    static func acquire(_ number: UInt32) throws(Errno) {
        while used & 1 << number != 0 { try waiting?.wait(isInterruptible: false) }
        used |= 1 << number
    }

    static func release(_ number: UInt32) {
        used &= ~(1 << number)
        waiting?.wake()
    }

    /// A disk's interrupt came.
    public static func takeInterrupts() { waiting?.wake() }

    fileprivate static func waitForInterrupt(until deadline: Nanoseconds) {
        try? waiting?.wait(until: deadline, isInterruptible: false)
    }

    static func minor(_ number: UInt32) -> UInt32 { number * 16 }

    /// Throws `noSuchDeviceOrAddress` for a number that no disk has.
    static func description(_ number: UInt32) throws(Errno) -> platform_disk {
        var description = platform_disk()
        guard machine.pointee.disk_describe(number, &description) >= 0 else {
            throw .noSuchDeviceOrAddress
        }
        return description
    }

    static func open(_ device: UInt64, _ dentry: Dentry, _ flags: OpenFlags)
        throws(Errno) -> OpenFile
    {
        let number = deviceMinor(device) / 16
        guard deviceMajor(device) == major, deviceMinor(device) == minor(number) else {
            throw .noSuchDeviceOrAddress
        }
        return DiskFile(number, try description(number), flags, dentry)
    }

    static func exists(_ number: UInt32) -> Bool { (try? description(number)) != nil }

    /// The name in /dev.
    static func name(_ number: UInt32) -> InlineArray<3, UInt8> {
        [UInt8(ascii: "v"), UInt8(ascii: "d"), UInt8(ascii: "a") + UInt8(number)]
    }
}

@c(kernel_wait_for_disk)
func waitForDisk(_ deadline: UInt64) { Disks.waitForInterrupt(until: deadline) }

/// A disk as an open file. Nothing of it is kept in memory: each call reads or writes the disk itself.
final class DiskFile: OpenFile {
    let number: UInt32
    let description: platform_disk

    init(_ number: UInt32, _ description: platform_disk, _ flags: OpenFlags, _ dentry: Dentry) {
        self.number = number
        self.description = description
        super.init(flags: flags, traits: .seekable, dentry: dentry)
    }

    private var size: Int { Int(description.size) }

    override func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        // The position is that of the turn.
        try Disks.acquire(number)
        defer { Disks.release(number) }
        guard position < size else { return 0 }
        let (number, start) = (number, position)
        let count = try pass(&transfer, at: start) { offset, segments, count in
            machine.pointee.disk_read(number, offset, segments, count)
        }
        position += count
        return count
    }

    override func write(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        guard description.is_read_only == 0 else { throw .notPermitted }
        guard transfer.remaining > 0 else { return 0 }
        try Disks.acquire(number)
        defer { Disks.release(number) }
        guard position < size else { throw .noSpace }
        let (number, start) = (number, position)
        let count = try pass(&transfer, at: start) { offset, segments, count in
            machine.pointee.disk_write(number, offset, segments, count)
        }
        if flags.contains(.dataSynchronous) { try checked(machine.pointee.disk_flush(number)) }
        position += count
        return count
    }

    /// Lets bytes pass up to the disk's end; an error after the first ones ends the transfer short.
    private func pass(
        _ transfer: inout Transfer,
        at start: Int,
        _ body: (UInt64, UnsafePointer<platform_segment>, UInt64) -> Int64
    ) throws(Errno) -> Int {
        transfer.cap(size - start)
        var done = 0
        while transfer.remaining > 0 {
            do throws(Errno) {
                let count = try transfer.withPlatformSegments(limit: .max) {
                    body(UInt64(start + done), $0, $1)
                }
                guard count > 0 else { return done }
                done += count
            } catch {
                guard done > 0 else { throw error }
                return done
            }
        }
        return done
    }

    override func seek(_ offset: Int, _ origin: SeekOrigin) throws(Errno) -> Int {
        guard origin == .end else { return try super.seek(offset, origin) }
        return try move(to: offset, from: size)
    }

    override func synchronize() throws(Errno) {
        try Disks.acquire(number)
        defer { Disks.release(number) }
        try checked(machine.pointee.disk_flush(number))
    }

    override func control(_ request: UInt32, _ argument: UInt) throws(Errno) -> Int {
        try controlDisk(request, argument)
    }
}
