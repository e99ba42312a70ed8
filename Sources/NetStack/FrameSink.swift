/// Where frames go that the stack has to send: to a card's own memory, so that they are written once.
public protocol FrameSink {
    /// Lets `write` fill a frame of `length` bytes, header and packet, and sends it; false when there is
    /// no room for it now. All of the frame is written.
    mutating func send(length: Int, _ write: (inout MutableRawSpan) -> Void) -> Bool
}
