/// What the kernel in a machine and `unirun` say to each other over a virtio console: the streams of
/// the contract, in the place of the descriptors that a process has. What is written to the control
/// stream is a `ControlMessage`; its answer is read from there.
///
/// A request is a header, then its payload where it has one; all little-endian:
///
///     u32 kind, i32 stream, u64 argument
///
/// `unirun` sends answers, and words of its own at any time between them:
///
///     u32 kind, u32 bytes of payload, i64 value
public enum MachineLink {
    public static let headerSize = 16
    /// The largest payload of either side.
    public static let payloadLimit = 65536

    public enum Request: UInt32, Sendable {
        /// Writes the payload of `argument` bytes to a stream; the answer is as of write(2).
        case write = 1
        /// Reads at most `argument` bytes, which follow the answer; it is as of read(2).
        case read = 2
        /// Which streams are ready: the answer's value is a set of `readable` and `writable` bits,
        /// those of `argument` that hold.
        case poll = 3
        /// Says `ready` once when something of `argument` holds. There is no answer.
        case watch = 4
        /// The instance ends with the exit status `argument`. There is no answer.
        case exit = 5
        /// The kernel is there: said once when it starts, and after each `ping`. There is no answer.
        case alive = 6
        /// The beginning of "unirun: ": from here on all that comes is text, the last words of a
        /// kernel that cannot go on.
        case lastWords = 0x7269_6e75
    }

    public enum Answer: UInt32, Sendable {
        case result = 1
        /// Something of what is watched holds; the value is the set.
        case ready = 2
        /// A signal for the program; the value is its number.
        case signal = 3
        /// Asks for `alive`, which the kernel says in the interrupt that this word raises.
        case ping = 4
    }

    /// The bits of a set of events.
    public static func readable(_ stream: Int32) -> UInt64 { 1 << UInt64(stream) }
    public static func writable(_ stream: Int32) -> UInt64 { 1 << UInt64(stream + 16) }
}
