import LinuxABI
import Platform

/// What System V's shared memory, semaphores and message queues have in common: sysvipc(7).
public class IPCObject {
    /// What programs know it by; set when it is in its table.
    final var id: Int32 = -1
    /// IPC_PRIVATE, zero, is nobody's to find.
    final var key: Int32
    final var user: UInt32
    final var group: UInt32
    final let creatorUser: UInt32
    final let creatorGroup: UInt32
    /// The nine bits of permissions.
    final var permissions: UInt32
    final var changeTime: Int64
    /// Out of its table; who waits for it is told so.
    final var isRemoved = false

    init(key: Int32, permissions: UInt32, _ process: Process) {
        self.key = key
        self.permissions = permissions & 0o777
        user = process.credentials.effectiveUser
        group = process.credentials.effectiveGroup
        creatorUser = user
        creatorGroup = group
        changeTime = IPCObject.now()
    }

    static func now() -> Int64 { CoarseClock.now().seconds }

    /// Throws `permissionDenied` unless all bits are granted: 4 to read, 2 to alter, for anyone of the
    /// three classes that is asked for.
    final func require(_ access: UInt32, _ process: Process) throws(Errno) {
        let credentials = process.credentials
        let asked = (access >> 6 | access >> 3 | access) & 7
        guard credentials.effectiveUser != 0 else { return }
        var granted = permissions
        if credentials.effectiveUser == user || credentials.effectiveUser == creatorUser {
            granted >>= 6
        } else if [group, creatorGroup].contains(where: {
            $0 == credentials.effectiveGroup || credentials.supplementaryGroups.contains($0)
        }) {
            granted >>= 3
        }
        guard asked & ~granted == 0 else { throw .permissionDenied }
    }

    /// Throws `notPermitted` for any but root, the owner and the creator.
    final func requireOwner(_ process: Process) throws(Errno) {
        let actor = process.credentials.effectiveUser
        guard actor == 0 || actor == user || actor == creatorUser else { throw .notPermitted }
    }

    /// What is shown beside the permissions in a mode.
    var stateBits: UInt32 { 0 }

    final var status: IPCStatus {
        IPCStatus(
            key: key,
            user: user,
            group: group,
            creatorUser: creatorUser,
            creatorGroup: creatorGroup,
            mode: permissions | stateBits,
            sequence: UInt16(truncatingIfNeeded: id >> 15)
        )
    }

    /// As IPC_SET.
    final func take(_ status: IPCStatus) {
        user = status.user
        group = status.group
        permissions = status.mode & 0o777
        changeTime = IPCObject.now()
    }
}

/// `struct ipc64_perm`
public struct IPCStatus: BitwiseCopyable {
    public var key: Int32
    public var user: UInt32
    public var group: UInt32
    public var creatorUser: UInt32
    public var creatorGroup: UInt32
    public var mode: UInt32
    public var sequence: UInt16
    public var padding: UInt16 = 0
    public var padding2: UInt32 = 0
    public var unused: (UInt64, UInt64) = (0, 0)
}

/// The objects of one kind by their numbers, which hold a place in the table and above it how often places
/// were used again.
struct IPCTable: ~Copyable {
    private static let placeBits: Int32 = 15
    /// Places are used again after so many at least.
    private static let smallestCycle = 64

    private var slots: UnsafeMutablePointer<Unmanaged<IPCObject>?>?
    private var capacity = 0
    private(set) var count = 0
    private var last = -1
    private var sequence: Int32 = 0

    mutating func removeAll() {
        let (slots, capacity) = (slots, capacity)
        forgetAll()
        for index in 0..<capacity { slots![index]?.release() }
        KernelBuffer.free(slots)
    }

    mutating func forgetAll() {
        slots = nil
        capacity = 0
        count = 0
        last = -1
        sequence = 0
    }

    /// One more than the highest place that is taken.
    var end: Int {
        var end = capacity
        while end > 0, slots![end - 1] == nil { end -= 1 }
        return end
    }

    /// The object in a place, or nil.
    func object(inPlace place: Int) -> IPCObject? {
        guard place >= 0, place < capacity else { return nil }
        return slots![place]?.takeUnretainedValue()
    }

    /// Throws `invalidArgument` when there is none, `identifierRemoved` when there is another.
    func object(_ id: Int32) throws(Errno) -> IPCObject {
        guard id >= 0, let object = object(inPlace: Int(id & (1 << IPCTable.placeBits - 1))) else {
            throw .invalidArgument
        }
        guard object.id == id else { throw .identifierRemoved }
        return object
    }

    /// The object with a key that is not zero.
    func object(withKey key: Int32) -> IPCObject? {
        for place in 0..<capacity {
            if let slot = slots![place], slot.lent.key == key { return slot.takeUnretainedValue() }
        }
        return nil
    }

    /// Throws `noSpace` when there are `limit` of them, `noMemory`.
    mutating func insert(_ object: IPCObject, limit: Int) throws(Errno) {
        guard count < limit else { throw .noSpace }
        let cycle = min(max(count * 3 / 2, IPCTable.smallestCycle), 1 << Int(IPCTable.placeBits))
        var place = last
        repeat {
            place += 1
            if place >= cycle { place = 0 }
        } while place < capacity && slots![place] != nil
        if place >= capacity { try grow(place + 1) }
        if place <= last { sequence = (sequence + 1) & 0xffff }
        last = place
        object.id = sequence << IPCTable.placeBits | Int32(place)
        slots![place] = Unmanaged.passRetained(object)
        count += 1
    }

    private mutating func grow(_ needed: Int) throws(Errno) {
        var larger = max(capacity, 8)
        while larger < needed { larger *= 2 }
        let new = try KernelBuffer.allocateZeroed(
            larger * MemoryLayout<Unmanaged<IPCObject>?>.stride
        ).assumingMemoryBound(to: Unmanaged<IPCObject>?.self)
        if let slots { new.update(from: slots, count: capacity) }
        KernelBuffer.free(slots)
        slots = new
        capacity = larger
    }

    mutating func remove(_ object: IPCObject) {
        let place = Int(object.id & (1 << IPCTable.placeBits - 1))
        guard place < capacity, let slot = slots![place], slot.lent === object else { return }
        slots![place] = nil
        count -= 1
        object.isRemoved = true
        slot.release()
    }
}

/// The three tables, and the limits that /proc/sys/kernel shows and sets.
public enum SystemV {
    nonisolated(unsafe) static var segments = IPCTable()
    nonisolated(unsafe) static var semaphores = IPCTable()
    nonisolated(unsafe) static var queues = IPCTable()

    nonisolated(unsafe) static var limits = Limits()

    struct Limits {
        /// SHMMAX, SHMALL, SHMMNI
        var segmentSize = UInt.max - 1 << 24
        var segmentPages = UInt.max - 1 << 24
        var segmentCount = 4096
        /// SEMMSL, SEMMNS, SEMOPM, SEMMNI
        var semaphoresPerSet = 32_000
        var semaphoreCount = 1_024_000_000
        var operationsPerCall = 500
        var setCount = 32_000
        /// MSGMAX, MSGMNB, MSGMNI
        var messageSize = 8192
        var queueSize = 16_384
        var queueCount = 32_000
    }

    /// Frees what the instance still holds as it ends.
    static func stop() {
        segments.removeAll()
        semaphores.removeAll()
        queues.removeAll()
    }

    /// Forgets all: the kernel starts anew, in tests. What was there lay in memory that is gone.
    static func reset() {
        segments.forgetAll()
        semaphores.forgetAll()
        queues.forgetAll()
        limits = Limits()
        SharedSegment.totalPages = 0
        SemaphoreSet.total = 0
    }

    /// As shmget(2) and its kin: IPC_CREAT and IPC_EXCL.
    static let createFlag: UInt32 = 0o1000
    static let exclusiveFlag: UInt32 = 0o2000

    /// The object of a key that one of the calls asks for; nil when a new one is to be made.
    /// Throws `noSuchFileOrDirectory`, `fileExists`.
    static func find(_ table: borrowing IPCTable, _ key: Int32, _ flags: UInt32)
        throws(Errno) -> IPCObject?
    {
        guard key != 0 else { return nil }
        guard let found = table.object(withKey: key) else {
            guard flags & createFlag != 0 else { throw .noSuchFileOrDirectory }
            return nil
        }
        guard flags & createFlag == 0 || flags & exclusiveFlag == 0 else { throw .fileExists }
        return found
    }
}
